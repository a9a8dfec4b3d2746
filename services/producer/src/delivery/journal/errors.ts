// What can go wrong with a journal as a whole; what goes wrong with a record is counted, not thrown.

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
