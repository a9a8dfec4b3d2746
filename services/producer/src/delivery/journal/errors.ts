// Errors that concern the journal as a whole. Damaged records are counted instead.

export type JournalErrorCode = "locked" | "not_writable";

export class JournalError extends Error {
  override name = "JournalError";
  constructor(
    readonly code: JournalErrorCode,
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}
