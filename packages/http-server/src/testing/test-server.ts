// A server on a free port of 127.0.0.1 that records what reaches its handlers.
import { ByteBudget } from "../byte-budget.ts";
import type { HttpServerOptions } from "../options.ts";
import type { IncomingRequest } from "../request.ts";
import { LightResponse, ResponseHead } from "../response.ts";
import { HttpServer } from "../server.ts";

export type TestServerOptions = Partial<
  Pick<
    HttpServerOptions,
    | "maxConnections"
    | "isProbe"
    | "headTimeoutMs"
    | "bodyTimeoutMs"
    | "sendTimeoutMs"
    | "minBodyRate"
    | "idleTimeoutMs"
    | "finish"
    | "expectsProxyHeader"
    | "tls"
  >
> & {
  /** Of the paths with a guard. */
  maxBodyBytes?: number;
  budgetBytes?: number;
  /** Responds to `/stream`. */
  respond?(request: IncomingRequest): Response | Promise<Response>;
  unsentBudgetBytes?: number;
};

const OK = new ResponseHead(200, { "Content-Type": "text/plain" });

/** Of a response that no pair of socket buffers takes. */
const LARGE_BYTES = 16 * 1024 * 1024;

/**
 * `POST /echo` responds with its body, `POST /wait` with its body once `settle` is called, `POST /throw` and `GET /throw`
 * throw. Other requests, which have no guard, get their method and path; `/large` gets 16 MiB.
 */
export class TestServer implements AsyncDisposable {
  readonly server: HttpServer;
  readonly budget: ByteBudget;
  readonly unsentBudget: ByteBudget;
  /** Bodies of the requests that reached a handler. */
  readonly handled: string[] = [];
  /** Requests that were admitted and have no response yet. */
  inFlight = 0;
  /** Requests whose connection went before their body was complete. */
  aborted = 0;
  /** The next requests are refused with it when they are admitted. */
  refusal: LightResponse | undefined;
  /** What was thrown. */
  readonly faults: unknown[] = [];
  /** Statuses of the responses that no guard knows of. */
  readonly rejected: number[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(options: TestServerOptions = {}) {
    const {
      maxBodyBytes = 100_000,
      budgetBytes = 10_000_000,
      unsentBudgetBytes = 10_000_000,
      respond = respondPlainly,
      ...others
    } = options;
    this.budget = new ByteBudget(budgetBytes);
    this.unsentBudget = new ByteBudget(unsentBudgetBytes);
    const guard = {
      maxBodyBytes,
      admit: (request: IncomingRequest) => {
        if (this.refusal !== undefined) return this.refusal;
        this.inFlight++;
        request.isAdmitted = true;
        return undefined;
      },
      reject: (request: IncomingRequest, { status, detail }: { status: number; detail: string }) => {
        request.isAdmitted = false;
        this.inFlight--;
        return new LightResponse(new ResponseHead(status, {}), detail);
      },
      onAbort: () => {
        this.inFlight--;
        this.aborted++;
      },
    };
    const guards = { "/echo": guard, "/wait": guard, "/throw": guard };
    this.server = new HttpServer({
      host: "127.0.0.1",
      port: 0,
      isShared: false,
      maxConnections: 1_000,
      headTimeoutMs: 10_000,
      bodyTimeoutMs: 10_000,
      sendTimeoutMs: 10_000,
      minBodyRate: 500,
      idleTimeoutMs: 10_000,
      ...others,
      budget: this.budget,
      unsentBudget: this.unsentBudget,
      guards,
      fetch: (request) => {
        const { path } = request.head;
        if (request.method === "POST" && path in guards) return this.#handle(request);
        return path === "/stream" ? respond(request) : respondPlainly(request);
      },
      toFaultResponse: (error) => {
        this.faults.push(error);
        return new LightResponse(new ResponseHead(500, {}), "fault");
      },
      onRejected: (status) => this.rejected.push(status),
    });
  }

  get port(): number {
    return this.server.port;
  }

  /** Requests to `/wait` that have no response yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Responds to all requests to `/wait`. */
  settle(): void {
    for (const respond of this.#waiting.splice(0)) respond();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop(0, () => this.settle());
  }

  #handle(request: IncomingRequest): LightResponse | Promise<LightResponse> {
    const { path } = request.head;
    const text = request.content.toText() ?? "";
    if (request.isAdmitted) this.inFlight--;
    request.isAdmitted = false;
    this.handled.push(text);
    if (path === "/throw") throw new Error("thrown");
    const response = new LightResponse(OK, text);
    if (path !== "/wait") return response;
    return new Promise((resolve) => this.#waiting.push(() => resolve(response)));
  }
}

function respondPlainly(request: IncomingRequest): Response | LightResponse {
  const { pathname } = new URL(request.url);
  if (pathname === "/throw") throw new Error("thrown");
  return pathname === "/large"
    ? new LightResponse(OK, "x".repeat(LARGE_BYTES))
    : new Response(`${request.method} ${pathname}`);
}

/** The head of a POST request. */
export function postHead(path: string, ...fields: string[]): string {
  return [`POST ${path} HTTP/1.1`, "Host: test", ...fields, "\r\n"].join("\r\n");
}

/** A complete POST request. */
export function post(path: string, body: string, ...fields: string[]): string {
  return postHead(path, `Content-Length: ${Buffer.byteLength(body)}`, ...fields) + body;
}
