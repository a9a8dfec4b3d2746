// Requests to guards and handlers, refusals to responses: the one place that calls the functions of the options.
import type { HttpServerOptions, RequestGuard } from "./options.ts";
import type { Peer } from "./peer.ts";
import { type HttpRejection, payloadTooLarge } from "./rejection.ts";
import type { IncomingRequest } from "./request.ts";
import type { RequestHead } from "./request-head.ts";
import { LightResponse, ResponseHead } from "./response.ts";

/** On paths without a guard. */
const MAX_UNGUARDED_BODY_BYTES = 64 * 1024;

/** To `OPTIONS *`. */
const PONG = new LightResponse(new ResponseHead(200, {}), "");

export type DispatcherOptions = Pick<
  HttpServerOptions,
  "guards" | "isProbe" | "fetch" | "toFaultResponse" | "toRejectionResponse" | "finish" | "onRejected"
>;

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #unguarded: RequestGuard;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#unguarded = {
      maxBodyBytes: MAX_UNGUARDED_BODY_BYTES,
      admit: () => undefined,
      reject: (_, rejection) => this.reject(rejection),
      onAbort: () => {},
    };
  }

  isProbe(head: RequestHead): boolean {
    return this.#options.isProbe?.(head) === true;
  }

  guardOf({ method, path }: RequestHead): RequestGuard {
    return (method === "POST" ? this.#options.guards[path] : undefined) ?? this.#unguarded;
  }

  /** Never throws; a promise may reject. */
  handle(request: IncomingRequest): LightResponse | Response | Promise<LightResponse | Response> {
    try {
      if (request.content.length > MAX_UNGUARDED_BODY_BYTES && this.guardOf(request.head) === this.#unguarded)
        return this.reject(payloadTooLarge(MAX_UNGUARDED_BODY_BYTES));
      if (request.head.target === "*") return this.#respondForServer();
      return this.#options.fetch(request);
    } catch (error) {
      return this.toFaultResponse(error, request);
    }
  }

  /** Without Allow, which differs between the paths: such a request is a ping (RFC 9110, section 9.3.7). */
  #respondForServer(): LightResponse {
    this.#options.onRejected(PONG.status);
    return PONG;
  }

  toFaultResponse(error: unknown, request?: IncomingRequest): LightResponse {
    return this.#options.toFaultResponse(error, request);
  }

  finish<R extends LightResponse | Response>(
    response: R,
    request: IncomingRequest | undefined,
    peer: Peer,
  ): R {
    if (request?.isAdmitted === true) this.#abandon(request);
    // Of 1xx a proxy passes on what follows unseen, or waits for another. Response.error() has 0.
    if (response.status < 200) throw new RangeError(`a handler responded with the status ${response.status}`);
    return this.#options.finish?.(response, request, peer) ?? response;
  }

  #abandon(request: IncomingRequest): void {
    request.isAdmitted = false;
    this.guardOf(request.head).onAbort(request);
  }

  /** Refuses a request that no guard knows of, and reports its status. */
  reject(rejection: HttpRejection): LightResponse {
    const response = this.toRejectionResponse(rejection);
    this.#options.onRejected(response.status);
    return response;
  }

  toRejectionResponse(rejection: HttpRejection): LightResponse {
    return this.#options.toRejectionResponse?.(rejection) ?? toPlainResponse(rejection);
  }
}

function toPlainResponse({ status, detail, closes }: HttpRejection): LightResponse {
  return new LightResponse(new ResponseHead(status, { "Content-Type": "text/plain" }), detail, closes);
}
