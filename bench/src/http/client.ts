// The HTTP client of the load generator: numbered connections (slots), one request on each at a time, responses by callback.

/** Why a request got no usable response. */
export type FailureKind =
  /** No connection could be made: the request was not sent. */
  | "connect_failed"
  /** The connection closed before the response was complete. */
  | "connection_closed"
  /** The bytes received are not one HTTP/1.1 response. */
  | "malformed_response"
  /** No complete response within --timeout. */
  | "timeout"
  /** No complete response when the grace period after an interrupt ended. */
  | "interrupted"
  /** The response is not of this API: not JSON, or without required members. */
  | "unexpected_body"
  /** The response has the id of another event. */
  | "wrong_event_id";

/** Where all requests of a run go. */
export interface Target {
  readonly url: URL;
  /** In addition to Host and Content-Length. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Called from the event loop, never from inside `send`. */
export interface ResponseHandler {
  onResponse(slot: number, status: number, body: string): void;
  /** @param reason the platform's error code, for example ECONNREFUSED, where there is one */
  onFailure(slot: number, kind: FailureKind, reason?: string): void;
}

export interface Client {
  /** Posts `body` (ASCII) on connection `slot`, which must have no request in flight. Connects when necessary. */
  send(slot: number, body: string): void;
  /** Closes the connection of a request; the handler is not called for that request. */
  abort(slot: number): void;
  close(): void;
}

export type CreateClient = (target: Target, slots: number, handler: ResponseHandler) => Client;
