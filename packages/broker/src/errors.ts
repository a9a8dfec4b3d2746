/** Why a development broker could not be had. */
export type BrokerErrorCode =
  | "no_java"
  | "java_too_old"
  | "no_maven"
  | "download_failed"
  | "format_failed"
  | "port_busy"
  | "start_failed"
  | "start_timed_out";

/** A failure to get or start a development broker; its message says what to do about it. */
export class BrokerError extends Error {
  override readonly name = "BrokerError";

  constructor(
    readonly code: BrokerErrorCode,
    message: string,
  ) {
    super(message);
  }
}
