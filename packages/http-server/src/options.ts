// What a server is created with.
import type { ByteBudget } from "./byte-budget.ts";
import type { Peer } from "./peer.ts";
import type { HttpRejection } from "./rejection.ts";
import type { IncomingRequest } from "./request.ts";
import type { RequestHead } from "./request-head.ts";
import type { LightResponse } from "./response.ts";
import type { TlsOptions } from "./tls.ts";

/** Decides about a request before its body has come. */
export interface RequestGuard {
  /** Larger bodies are rejected as soon as that shows, whether declared or not. */
  readonly maxBodyBytes: number;
  /**
   * Asked when the head is complete and the body is not. A response refuses the request. Otherwise the request is
   * admitted (`isAdmitted`), and exactly one of these follows: a handler behind `fetch` takes it over, `reject`, `onAbort`.
   * The first two set `isAdmitted` to false.
   */
  admit(request: IncomingRequest): LightResponse | undefined;
  /** The admitted request has no usable body: too large, too slow or malformed. */
  reject(request: IncomingRequest, rejection: HttpRejection): LightResponse;
  /** The admitted request reaches no handler: its connection is gone, or a hook in front of the handler has responded. */
  onAbort(request: IncomingRequest): void;
}

export interface Timeouts {
  /** From the first byte of a head to its last; from the start of a connection to the end of its TLS handshake. */
  readonly headTimeoutMs: number;
  /** In each such time, a body that is coming has to come at `minBodyRate` at least. */
  readonly bodyTimeoutMs: number;
  /** In each such time, a response that could not be sent at once has to be read at `minBodyRate` at least. */
  readonly sendTimeoutMs: number;
  /** bytes/s; 0: any progress will do. */
  readonly minBodyRate: number;
  /** Between two requests. */
  readonly idleTimeoutMs: number;
}

export interface HttpServerOptions extends Timeouts {
  /** 0 takes a free port. */
  readonly port: number;
  readonly host: string;
  /** Other processes listen on the same port (SO_REUSEPORT). */
  readonly isShared: boolean;
  /** With it, the port speaks TLS only. */
  readonly tls?: TlsOptions;
  /** Requests on further connections get a 503, and the connections are closed. */
  readonly maxConnections: number;
  /** A health check, which is handled on a few connections beyond `maxConnections` too. */
  isProbe?(head: RequestHead): boolean;
  /** Bounds what has arrived of incomplete requests, of all connections together. */
  readonly budget: ByteBudget;
  /** Bounds what clients have not read of their responses, of all connections together; one may take half of it. */
  readonly unsentBudget: ByteBudget;
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

/** A server that listens: `HttpServer` or `BunServer`. */
export interface RunningServer {
  readonly port: number;
  readonly connections: number;
  /** Connections that were closed at once because there were too many. */
  readonly refusedConnections: number;
  /** TLS handshakes that failed, or took longer than `headTimeoutMs`. */
  readonly failedHandshakes: number;
  /**
   * Uses another certificate for connections that are made from now on. Existing ones go on with the previous one.
   * @returns false where the server can't: it goes on with the previous one
   */
  replaceTls(tls: TlsOptions): boolean;
  /**
   * From now on each connection's next response is its last, and says so. The port stays open, and requests are handled as
   * before: proxies and load balancers learn of the stop before it happens.
   */
  drain(): void;
  /**
   * Closes the port, waits for the responses to requests in progress, and ends all connections.
   * @param settlePending called when the time is over: it makes handlers that still wait respond
   * @returns how many requests were cut off without a response even then
   */
  stop(timeoutMs: number, settlePending: () => void): Promise<number>;
}
