/** Why a development broker is not available. */
export type BrokerErrorCode =
  | "no_java"
  | "java_too_old"
  | "no_maven"
  | "download_failed"
  | "format_failed"
  | "port_busy"
  | "start_failed"
  | "start_timed_out"
  | "request_failed";

/** A failure to install, start or administer a development broker; the message contains the remedy. */
export class BrokerError extends Error {
  override readonly name = "BrokerError";

  constructor(
    readonly code: BrokerErrorCode,
    message: string,
  ) {
    super(message);
  }
}
