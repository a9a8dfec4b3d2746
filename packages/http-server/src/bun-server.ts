// The same handlers and guards behind Bun.serve: the way back if the runtime's own server becomes good enough, and the
// reference for HttpServer. The README says what is lost.
import { isHost } from "./authority.ts";
import { Body } from "./body.ts";
import { BodyBuffer } from "./body-buffer.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { HttpServerOptions, RequestGuard, RunningServer } from "./options.ts";
import type { Peer } from "./peer.ts";
import { HttpRejection, invalidHost, payloadTooLarge, tooManyBytesInFlight } from "./rejection.ts";
import { IncomingRequest } from "./request.ts";
import type { BodyLength } from "./request-head.ts";
import { LightResponse } from "./response.ts";
import { toBunTls } from "./tls.ts";

/** The longest that Bun.serve supports, s. */
const MAX_IDLE_TIMEOUT_S = 255;
/** How long responses that are given at the last moment may take to be sent, ms. */
const LAST_RESPONSES_MS = 500;
const POLL_MS = 10;

type Given = LightResponse | Response;

export class BunServer implements RunningServer {
  readonly port: number;
  refusedConnections = 0;
  /** Bun.serve does not report them. */
  readonly failedHandshakes = 0;
  readonly #server: Bun.Server<undefined>;
  readonly #dispatcher: Dispatcher;
  readonly #budget: ByteBudget;
  readonly #maxRequests: number;
  #isStopping = false;
  /** Requests without a response. */
  #inFlight = 0;

  /** @throws the system's error when the port is not available */
  constructor(options: HttpServerOptions) {
    this.#dispatcher = new Dispatcher(options);
    this.#budget = options.budget;
    this.#maxRequests = options.maxConnections;
    this.#server = Bun.serve({
      hostname: options.host,
      port: options.port,
      reusePort: options.isShared,
      idleTimeout: Math.min(Math.ceil(options.idleTimeoutMs / 1_000), MAX_IDLE_TIMEOUT_S),
      // The guards bound bodies, and respond with a reason.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      development: false,
      ...(options.tls && { tls: toBunTls(options.tls) }),
      fetch: (request) => this.#fetch(request),
    });
    this.port = this.#server.port!;
  }

  /** Requests in progress: Bun.serve does not report its connections. */
  get connections(): number {
    return this.#server.pendingRequests;
  }

  /** Bun.serve ignores another certificate. */
  replaceTls(): boolean {
    return false;
  }

  drain(): void {
    this.#isStopping = true;
  }

  async stop(timeoutMs: number, settlePending: () => void): Promise<number> {
    this.drain();
    void this.#server.stop(false);
    await this.#until(() => this.#inFlight === 0, timeoutMs);
    if (this.#inFlight > 0) settlePending();
    await this.#until(() => this.#server.pendingRequests === 0, LAST_RESPONSES_MS);
    const cut = this.#inFlight;
    await this.#server.stop(true);
    return cut;
  }

  async #until(condition: () => boolean, timeoutMs: number): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs;
    while (!condition() && performance.now() < deadlineMs) await Bun.sleep(POLL_MS);
  }

  async #fetch(request: Request): Promise<Response> {
    // http: over TLS too, as of HttpServer: Elysia looks for the path right after "http://".
    const url = request.url.replace(/^https:/, "http:");
    const incoming = IncomingRequest.over(request, request.headers, url);
    const server = this.#server;
    const peer = {
      get remoteAddress() {
        return server.requestIP(request)?.address ?? "";
      },
    };
    incoming.peer = peer;
    this.#inFlight++;
    try {
      const response = this.#dispatcher.finish(await this.#respond(request, incoming), incoming, peer);
      return this.#toFetch(response, incoming);
    } catch (error) {
      return this.#toFault(error, incoming, peer);
    } finally {
      this.#inFlight--;
    }
  }

  #toFault(error: unknown, incoming: IncomingRequest, peer: Peer): Response {
    const response = this.#dispatcher.toFaultResponse(error, incoming);
    return this.#toFetch(this.#dispatcher.finish(response, incoming, peer), incoming);
  }

  #toFetch(given: Given, { method }: IncomingRequest): Response {
    const response = given instanceof LightResponse ? given.toResponse(method === "HEAD") : given;
    if (this.#isStopping) response.headers.set("connection", "close");
    return response;
  }

  async #respond(request: Request, incoming: IncomingRequest): Promise<Given> {
    if (this.#server.pendingRequests > this.#maxRequests) {
      this.refusedConnections++;
      const rejection = new HttpRejection(
        "overloaded",
        `${this.#maxRequests} requests are in progress already: try again shortly.`,
      );
      return this.#dispatcher.toRejectionResponse(rejection);
    }
    const host = request.headers.get("host");
    if (host !== null && !isHost(host)) return this.#dispatcher.reject(invalidHost());
    if (request.body === null) return this.#handle(request, incoming);
    const guard = this.#dispatcher.guardOf(incoming.head);
    return guard.admit(incoming) ?? this.#readAndHandle(request, incoming, guard);
  }

  async #readAndHandle(request: Request, incoming: IncomingRequest, guard: RequestGuard): Promise<Given> {
    const { bodyLength } = incoming.head;
    const { maxBodyBytes } = guard;
    if (bodyLength !== "chunked" && bodyLength > maxBodyBytes)
      return guard.reject(incoming, payloadTooLarge(maxBodyBytes));
    const content = await this.#receive(request, bodyLength, maxBodyBytes).catch(() => undefined);
    // The guard learns of it as of any request that reaches no handler.
    if (content === undefined) return new Response(null, { status: 400 });
    if (content instanceof HttpRejection) return guard.reject(incoming, content);
    incoming.content = content;
    return this.#handle(request, incoming);
  }

  /** Rejects when the body breaks off. */
  async #receive(request: Request, bodyLength: BodyLength, maxBytes: number): Promise<Body | HttpRejection> {
    if (bodyLength === "chunked") return receiveChunks(request, new BodyBuffer(this.#budget, maxBytes));
    if (!this.#budget.take(bodyLength)) return tooManyBytesInFlight();
    try {
      // Where the length is known, this is faster than piece by piece.
      return Body.of(Buffer.from(await request.arrayBuffer()));
    } finally {
      this.#budget.release(bodyLength);
    }
  }

  #handle(request: Request, incoming: IncomingRequest): Given | Promise<Given> {
    const result = this.#dispatcher.handle(incoming);
    // A handler and a stream may be silent for longer than a connection between two requests.
    if (!(result instanceof LightResponse)) this.#server.timeout(request, 0);
    return result;
  }
}

async function receiveChunks({ body }: Request, buffer: BodyBuffer): Promise<Body | HttpRejection> {
  try {
    let length = 0;
    for await (const piece of body!) {
      length += piece.length;
      if (length > buffer.maxBytes) return payloadTooLarge(buffer.maxBytes);
      if (!buffer.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength), 0, piece.length))
        return tooManyBytesInFlight();
    }
    return Body.of(buffer.content);
  } finally {
    buffer.release();
  }
}
