// What a server is created with.
import type { ByteBudget } from "./byte-budget.ts";
import type { HttpRejection } from "./rejection.ts";
import type { IncomingRequest } from "./request.ts";
import type { LightResponse } from "./response.ts";

/** The other end of a connection: the client, or the proxy in front of it. */
export interface Peer {
  /** Its IP address; the client's where the PROXY protocol reports one. */
  readonly remoteAddress: string;
}

/** Decides about a request before its body has come. */
export interface RequestGuard {
  /** Larger bodies are rejected as soon as that shows, whether declared or not. */
  readonly maxBodyBytes: number;
  /**
   * Asked when the head is complete and the body is not. A response refuses the request. Otherwise the request is
   * admitted, and exactly one of these follows: `fetch` of the server, `reject`, `onAbort`.
   */
  admit(request: IncomingRequest): LightResponse | undefined;
  /** The admitted request has no usable body: too large, too slow or malformed. */
  reject(request: IncomingRequest, rejection: HttpRejection): LightResponse;
  /** The connection of the admitted request is gone: nobody is left to respond to. */
  onAbort(request: IncomingRequest): void;
}

export interface Timeouts {
  /** From the first byte of a head to its last. */
  readonly headTimeoutMs: number;
  /** From the end of a head to the end of its body. */
  readonly bodyTimeoutMs: number;
  /** Between two requests, and while the client does not read a response. */
  readonly idleTimeoutMs: number;
}

export interface HttpServerOptions extends Timeouts {
  /** 0 takes a free port. */
  readonly port: number;
  readonly host: string;
  /** Other processes listen on the same port (SO_REUSEPORT). */
  readonly isShared: boolean;
  /** Further connections get a 503 and are closed. */
  readonly maxConnections: number;
  /** Bounds the bodies that are arriving and the responses that are not read, of all connections together. */
  readonly budget: ByteBudget;
  /** By the path of POST requests. Other requests have a small body or none, and are always admitted. */
  readonly guards: Readonly<Record<string, RequestGuard>>;
  /** Responds to a request. */
  fetch(request: IncomingRequest): LightResponse | Response | Promise<LightResponse | Response>;
  /** The response to an exception in `fetch`, or in the server itself, which has no request then. */
  toFaultResponse(error: unknown, request?: IncomingRequest): LightResponse;
  /** The response to what the server itself refuses; plain text by default. */
  toRejectionResponse?(rejection: HttpRejection): LightResponse;
  /**
   * Called with each response before it is sent: returns it, or the one to be sent instead.
   * @param request undefined when no head could be read
   */
  finish?<R extends LightResponse | Response>(
    response: R,
    request: IncomingRequest | undefined,
    peer: Peer,
  ): R;
  /** Must a connection from this address begin with a header of the PROXY protocol? By default none must. */
  expectsProxyHeader?(address: string): boolean;
  /** Called with the status of each response to a request that reached neither a guard nor `fetch`. */
  onRejected(status: number): void;
}
