// What the load needs of an HTTP client: numbered connections, one request on each at a time, answers by callback.

/** Why a request got no usable answer. */
export type FailureKind =
  /** No connection could be made: the request was never sent. */
  | "connect_failed"
  /** The connection ended before the answer was whole. */
  | "connection_closed"
  /** What came back is not HTTP/1.1, or more than was asked for. */
  | "malformed_response"
  /** No whole answer within --timeout. */
  | "timeout"
  /** Still without an answer when the run was stopped by hand and a last wait was over. */
  | "interrupted"
  /** The answer is no answer of this API: not JSON, or without the members that it must have. */
  | "unexpected_body"
  /** The answer is about another event than the one sent. */
  | "wrong_event_id";

/** Where requests go: the same for all of a run. */
export interface Target {
  readonly url: URL;
  /** Beside Host and Content-Length. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Called from the event loop, never from inside `send`. */
export interface AnswerHandler {
  onAnswer(slot: number, status: number, body: string): void;
  /** @param reason the platform's word for it, as ECONNREFUSED, where there is one */
  onFailure(slot: number, kind: FailureKind, reason?: string): void;
}

export interface Client {
  /** Posts `body` (ASCII) on connection `slot`, which must have no request under way. Connects when it has to. */
  send(slot: number, body: string): void;
  /** Cuts the connection under a request; nothing more is heard of that request. */
  abandon(slot: number): void;
  close(): void;
}

export type CreateClient = (target: Target, slots: number, handler: AnswerHandler) => Client;
