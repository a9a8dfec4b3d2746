// HTTP/1.1 over Bun's sockets. Own code, for Bun.serve costs a third of what an event costs in all (docs/performance.md has
// the figures), and leaves out what this service owes its callers: a limit of connections, an answer to who is too slow
// with a head, room for bodies by what came of them.
import type { Socket } from "bun";
import { payloadTooLarge, Rejection } from "../../rejection.ts";
import type { ByteBudget } from "../byte-budget.ts";
import { toProblemResponse } from "../problem-response.ts";
import type { IncomingRequest } from "../request.ts";
import type { LightResponse } from "../response.ts";
import { Connection } from "./connection.ts";
import type { RequestHead } from "./head.ts";
import { HeadCache } from "./head-cache.ts";
import { setDate, toWire } from "./response-encoder.ts";

/** What is asked about a request while its body is on its way. */
export interface RequestGuard {
  readonly maxBodyBytes: number;
  /** An answer refuses it; else exactly one of its handler's call, `reject` and `onAbort` follows. */
  admit(request: IncomingRequest): LightResponse | undefined;
  /** It was let in, and there is nothing to handle: its body is too large, too slow, broken. */
  reject(request: IncomingRequest, rejection: Rejection): LightResponse;
  /** It was let in, and nobody is left to have an answer. */
  onAbort(request: IncomingRequest): void;
}

export interface HttpServerOptions {
  /** 0 takes a free one. */
  port: number;
  host: string;
  /** Other processes listen on the same port (SO_REUSEPORT). */
  isShared: boolean;
  /** Beyond it a connection is answered with 503 and closed. */
  maxConnections: number;
  /** From its first byte. */
  headTimeoutMs: number;
  bodyTimeoutMs: number;
  /** Between requests, and for an answer that isn't read. */
  idleTimeoutMs: number;
  /** What all bodies that are arriving may hold together. */
  budget: ByteBudget;
  /** By path. Others have a small body or none, and are always let in. */
  guards: Readonly<Record<string, RequestGuard>>;
  /** Answers a request. Those of the guards' paths come as they are, others as the Fetch standard has them. */
  fetch(request: IncomingRequest | Request): LightResponse | Response | Promise<LightResponse | Response>;
  toFaultResponse(error: unknown): LightResponse;
  /** Told the status of each answer to what never got to a handler. */
  onRejected(status: number): void;
}

/** What connections share. */
export interface HttpServerContext
  extends Pick<
    HttpServerOptions,
    "budget" | "headTimeoutMs" | "bodyTimeoutMs" | "idleTimeoutMs" | "toFaultResponse"
  > {
  /** ms; it stands still between two sweeps, which is exact enough for time-outs. */
  readonly clockMs: number;
  readonly isStopping: boolean;
  guardOf(head: RequestHead): RequestGuard;
  /** Refuses what no handler of a gate has to do with, and counts that. */
  refuse(rejection: Rejection): LightResponse;
  handle(request: IncomingRequest): LightResponse | Response | Promise<LightResponse | Response>;
}

const SWEEP_MS = 250;
/** For answers that are given at the last moment to get out. */
const LAST_ANSWERS_MS = 500;
const MAX_OTHER_BODY_BYTES = 64 * 1024;

export class HttpServer implements HttpServerContext {
  readonly port: number;
  readonly budget: ByteBudget;
  readonly headTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly toFaultResponse: (error: unknown) => LightResponse;
  clockMs = performance.now();
  isStopping = false;
  /** Connections that were turned away because there were too many. */
  refusedConnections = 0;

  readonly #options: HttpServerOptions;
  readonly #listener: Bun.TCPSocketListener<Connection>;
  readonly #connections = new Set<Connection>();
  readonly #heads = new HeadCache();
  readonly #otherGuard: RequestGuard;
  readonly #timer: Timer;
  #onEmpty: (() => void) | undefined;

  /** @throws the system's error when the port can't be had */
  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.budget = options.budget;
    this.headTimeoutMs = options.headTimeoutMs;
    this.bodyTimeoutMs = options.bodyTimeoutMs;
    this.idleTimeoutMs = options.idleTimeoutMs;
    this.toFaultResponse = options.toFaultResponse;
    this.#otherGuard = {
      maxBodyBytes: MAX_OTHER_BODY_BYTES,
      admit: () => undefined,
      reject: (_, rejection) => this.refuse(rejection),
      onAbort: () => {},
    };
    const listen = {
      hostname: options.host,
      port: options.port,
      // Bun's types lack it.
      reusePort: options.isShared,
      allowHalfOpen: true,
      socket: {
        open: (socket: Socket<Connection>) => this.#open(socket),
        data: ({ data }: Socket<Connection>, chunk: Buffer) => data?.onData(chunk),
        drain: ({ data }: Socket<Connection>) => data?.onDrain(),
        end: ({ data }: Socket<Connection>) => data?.onEnd(),
        close: ({ data }: Socket<Connection>) => this.#close(data),
        // A fault of ours, in one of the functions above.
        error: ({ data }: Socket<Connection>, error: Error) => this.#fail(data, error),
      },
    };
    this.#listener = Bun.listen<Connection>(listen);
    this.port = this.#listener.port;
    const { headTimeoutMs, bodyTimeoutMs, idleTimeoutMs } = this;
    this.#timer = setInterval(
      () => this.#sweep(),
      Math.min(SWEEP_MS, headTimeoutMs, bodyTimeoutMs, idleTimeoutMs),
    );
    this.#timer.unref();
  }

  get connections(): number {
    return this.#connections.size;
  }

  guardOf({ method, path }: RequestHead): RequestGuard {
    return (method === "POST" ? this.#options.guards[path] : undefined) ?? this.#otherGuard;
  }

  refuse(rejection: Rejection): LightResponse {
    const answer = toProblemResponse(rejection);
    this.#options.onRejected(answer.status);
    return answer;
  }

  handle(request: IncomingRequest): LightResponse | Response | Promise<LightResponse | Response> {
    const { fetch, toFaultResponse } = this.#options;
    try {
      if (this.guardOf(request.head) !== this.#otherGuard) return fetch(request);
      return request.body.length > MAX_OTHER_BODY_BYTES
        ? this.refuse(payloadTooLarge(MAX_OTHER_BODY_BYTES))
        : fetch(request.toRequest());
    } catch (error) {
      return toFaultResponse(error);
    }
  }

  /**
   * Takes no new connections, ends those that nothing happens on, and waits for answers that are under way.
   * @param settlePending called when the time is over: requests that wait for something get their answers by it
   * @returns how many requests were cut off because they didn't end even then
   */
  async stop(timeoutMs: number, settlePending: () => void): Promise<number> {
    this.isStopping = true;
    this.#listener.stop(false);
    for (const connection of this.#connections) connection.close();
    await this.#untilEmpty(timeoutMs);
    if (this.#busy > 0) {
      settlePending();
      await this.#untilEmpty(LAST_ANSWERS_MS);
    }
    const cut = this.#busy;
    for (const connection of this.#connections) connection.terminate();
    clearInterval(this.#timer);
    return cut;
  }

  get #busy(): number {
    let busy = 0;
    for (const { isBusy } of this.#connections) if (isBusy) busy++;
    return busy;
  }

  async #untilEmpty(timeoutMs: number): Promise<void> {
    if (this.#connections.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onEmpty = resolve;
    const timer = setTimeout(resolve, timeoutMs);
    await promise;
    clearTimeout(timer);
  }

  #open(socket: Socket<Connection>): void {
    const { maxConnections } = this.#options;
    if (this.#connections.size >= maxConnections) {
      this.refusedConnections++;
      const detail = `${maxConnections} connections are open already.`;
      // Whether it is read before the connection's reset is not waited for: that would be one more connection.
      socket.end(toWire(toProblemResponse(new Rejection("overloaded", detail)), true, false));
      return;
    }
    const connection = new Connection(this, this.#heads, socket);
    socket.data = connection;
    this.#connections.add(connection);
  }

  #fail(connection: Connection | undefined, error: unknown): void {
    this.toFaultResponse(error);
    connection?.terminate();
  }

  #close(connection: Connection | undefined): void {
    if (connection === undefined) return;
    connection.onClose();
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }

  #sweep(): void {
    setDate(new Date());
    this.clockMs = performance.now();
    for (const connection of this.#connections) connection.sweep(this.clockMs);
  }
}
