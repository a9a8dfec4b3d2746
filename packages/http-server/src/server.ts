// Listens, keeps the set of connections, and stops: HTTP/1.1 over Bun's TCP sockets.
import type { Socket } from "bun";
import { Connection } from "./connection.ts";
import type { ConnectionContext } from "./context.ts";
import { Dispatcher } from "./dispatcher.ts";
import { HeadReader } from "./head-reader.ts";
import type { HttpServerOptions } from "./options.ts";
import { HttpRejection } from "./rejection.ts";
import { ResponseEncoder } from "./response-encoder.ts";

const SWEEP_MS = 250;
/** So long responses that are given at the last moment may take to be sent. */
const LAST_RESPONSES_MS = 500;

export class HttpServer {
  readonly port: number;
  /** Connections that were closed at once because there were too many. */
  refusedConnections = 0;

  readonly #context: ConnectionContext;
  readonly #maxConnections: number;
  readonly #listener: Bun.TCPSocketListener<Connection>;
  readonly #connections = new Set<Connection>();
  readonly #timer: Timer;
  #onEmpty: (() => void) | undefined;

  /** @throws the system's error when the port is not available */
  constructor(options: HttpServerOptions) {
    const { host, port, isShared, maxConnections, budget } = options;
    const { headTimeoutMs, bodyTimeoutMs, idleTimeoutMs } = options;
    this.#context = {
      timeouts: { headTimeoutMs, bodyTimeoutMs, idleTimeoutMs },
      budget,
      heads: new HeadReader(),
      encoder: new ResponseEncoder(new Date()),
      dispatcher: new Dispatcher(options),
      expectsProxyHeader: options.expectsProxyHeader,
      clockMs: performance.now(),
      isStopping: false,
    };
    this.#maxConnections = maxConnections;
    const listen = {
      hostname: host,
      port,
      // Bun's types lack it.
      reusePort: isShared,
      allowHalfOpen: true,
      socket: {
        open: (socket: Socket<Connection>) => this.#open(socket),
        data: ({ data }: Socket<Connection>, chunk: Buffer) => data?.onData(chunk),
        drain: ({ data }: Socket<Connection>) => data?.onDrain(),
        end: ({ data }: Socket<Connection>) => data?.onEnd(),
        close: ({ data }: Socket<Connection>) => this.#close(data),
        // An exception in one of the functions above.
        error: ({ data }: Socket<Connection>, error: Error) => this.#fail(data, error),
      },
    };
    this.#listener = Bun.listen<Connection>(listen);
    this.port = this.#listener.port;
    const sweepMs = Math.min(SWEEP_MS, headTimeoutMs, bodyTimeoutMs, idleTimeoutMs);
    this.#timer = setInterval(() => this.#sweep(), sweepMs);
    this.#timer.unref();
  }

  get connections(): number {
    return this.#connections.size;
  }

  /**
   * Takes no new connections, ends idle ones, and waits for the responses to requests in progress.
   * @param settlePending called when the time is over: it makes handlers that still wait respond
   * @returns how many requests were cut off without a response even then
   */
  async stop(timeoutMs: number, settlePending: () => void): Promise<number> {
    this.#context.isStopping = true;
    this.#listener.stop(false);
    for (const connection of this.#connections) connection.close();
    await this.#untilEmpty(timeoutMs);
    if (this.#busy > 0) {
      settlePending();
      await this.#untilEmpty(LAST_RESPONSES_MS);
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
    if (this.#connections.size >= this.#maxConnections) {
      this.#refuse(socket);
      return;
    }
    const connection = new Connection(this.#context, socket);
    socket.data = connection;
    this.#connections.add(connection);
  }

  #refuse(socket: Socket<Connection>): void {
    this.refusedConnections++;
    const rejection = new HttpRejection(
      "overloaded",
      `${this.#maxConnections} connections are open already.`,
    );
    const { dispatcher, encoder } = this.#context;
    // Waiting until the client has read it would keep one more connection open.
    const response = dispatcher.finish(dispatcher.toRejectionResponse(rejection), undefined, socket);
    socket.end(encoder.encode(response, true, false));
  }

  #close(connection: Connection | undefined): void {
    if (connection === undefined) return;
    connection.onClose();
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }

  #fail(connection: Connection | undefined, error: unknown): void {
    this.#context.dispatcher.toFaultResponse(error);
    connection?.terminate();
  }

  #sweep(): void {
    const nowMs = performance.now();
    this.#context.clockMs = nowMs;
    this.#context.encoder.setDate(new Date());
    for (const connection of this.#connections) connection.sweep(nowMs);
  }
}
