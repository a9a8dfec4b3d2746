// Listens, keeps the set of connections, and stops: HTTP/1.1 over Bun's TCP sockets.
import type { Socket, SocketHandler } from "bun";
import { Connection, type Excess } from "./connection.ts";
import { type ConnectionContext, createContext } from "./context.ts";
import type { HttpServerOptions, RunningServer } from "./options.ts";
import { HttpRejection } from "./rejection.ts";
import { CLOSE } from "./response-encoder.ts";
import { dropSyns } from "./syn-filter.ts";
import { type TlsOptions, toBunTls } from "./tls.ts";

const SWEEP_MS = 250;
/** So long a sweep may hold up requests. */
const SWEEP_SLICE_MS = 1;
/** Connections beyond the limit that are kept until they have shown whether they are health checks. */
const MAX_EXCESS = 16;
/** How long responses that are given at the last moment may take to be sent, ms. */
const LAST_RESPONSES_MS = 500;
/** So long handshakes that have begun may take before the port is closed. */
const LAST_HANDSHAKES_MS = 50;

export class HttpServer implements RunningServer {
  readonly port: number;
  refusedConnections = 0;
  failedHandshakes = 0;

  readonly #context: ConnectionContext;
  readonly #maxConnections: number;
  readonly #listener: Bun.TCPSocketListener<Connection> & { readonly fd?: number };
  readonly #connections = new Set<Connection>();
  readonly #excess: Excess;
  readonly #timer: Timer;
  #tls: ReturnType<typeof toBunTls> | undefined;
  #onEmpty: (() => void) | undefined;
  /** The rest of the sweep that has begun. */
  #sweeping: Iterator<Connection> | undefined;

  /** @throws the system's error when the port is not available */
  constructor(options: HttpServerOptions) {
    const { host, port, isShared, maxConnections } = options;
    this.#context = createContext(options, () => {
      this.failedHandshakes++;
    });
    this.#tls = options.tls && toBunTls(options.tls);
    this.#maxConnections = maxConnections;
    this.#excess = {
      rejection: new HttpRejection(
        "overloaded",
        `${maxConnections} connections are open already: try again shortly.`,
        true,
      ),
      onRefused: () => {
        this.refusedConnections++;
      },
    };
    const handlers = {
      open: (socket: Socket<Connection>) => this.#open(socket),
      data: ({ data }: Socket<Connection>, chunk: Buffer) => data?.onData(chunk),
      drain: ({ data }: Socket<Connection>) => data?.onDrain(),
      end: ({ data }: Socket<Connection>) => data?.onEnd(),
      close: ({ data }: Socket<Connection>) => this.#close(data),
      // An exception in one of the functions above.
      error: ({ data }: Socket<Connection>, error: Error) => this.#fail(data, error),
    };
    const listen = {
      hostname: host,
      port,
      // Bun's types lack it.
      reusePort: isShared,
      allowHalfOpen: true,
      socket: this.#tls === undefined ? handlers : this.#toTlsHandlers(handlers),
    };
    this.#listener = Bun.listen<Connection>(listen);
    this.port = this.#listener.port;
    const { headTimeoutMs, bodyTimeoutMs, sendTimeoutMs, idleTimeoutMs } = options;
    const sweepMs = Math.min(SWEEP_MS, headTimeoutMs, bodyTimeoutMs, sendTimeoutMs, idleTimeoutMs);
    this.#timer = setInterval(() => this.#sweep(), sweepMs);
    this.#timer.unref();
  }

  get connections(): number {
    return this.#connections.size;
  }

  replaceTls(tls: TlsOptions): boolean {
    this.#tls = toBunTls(tls);
    return true;
  }

  drain(): void {
    this.#context.isStopping = true;
  }

  /** Connections on which no request comes are shut meanwhile. */
  async stop(timeoutMs: number, settlePending: () => void): Promise<number> {
    this.drain();
    await this.#closePort(timeoutMs);
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

  /**
   * The handlers of a port that speaks TLS. A listener of Bun's keeps the certificate that it was created with, so this one
   * accepts plain connections, and each becomes one of TLS with the certificate of that moment.
   */
  #toTlsHandlers(handlers: SocketHandler<Connection>): SocketHandler<Connection> {
    const socket: SocketHandler<Connection> = {
      ...handlers,
      handshake: ({ data }, isComplete) => data?.onHandshake(isComplete),
      // What a client sends after the handshake is no TLS.
      error: ({ data }, error) =>
        (error as NodeJS.ErrnoException).code === "EPROTO" ? data?.terminate() : this.#fail(data, error),
    };
    return {
      open: (raw) => {
        // Bun's types lack `isServer`.
        const options = { isServer: true, tls: this.#tls!, socket };
        raw.upgradeTLS(options);
      },
      // Bun requires one that takes data. These bytes are encrypted, and the handlers above get their contents.
      drain() {},
      error: (_, error) => this.#fail(undefined, error),
    };
  }

  /** Closes the port in such a way that no connection is reset that a client has established already. */
  async #closePort(timeoutMs: number): Promise<void> {
    // Bun's types lack `fd`.
    const { fd } = this.#listener;
    if (timeoutMs > 0 && fd !== undefined && dropSyns(fd)) {
      await Bun.sleep(LAST_HANDSHAKES_MS);
      // The last of them are accepted in this turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#listener.stop(false);
    this.#context.isPortClosed = true;
    for (const connection of this.#connections) connection.onPortClosed();
    this.#sweep();
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
    const excess = this.#connections.size - this.#maxConnections;
    if (excess >= MAX_EXCESS) {
      this.#refuse(socket);
      return;
    }
    const connection = new Connection(this.#context, socket, excess < 0 ? undefined : this.#excess);
    socket.data = connection;
    this.#connections.add(connection);
  }

  #refuse(socket: Socket<Connection>): void {
    const { rejection, onRefused } = this.#excess;
    onRefused();
    if (this.#tls !== undefined) {
      // A response would have to wait for the handshake.
      socket.terminate();
      return;
    }
    const { dispatcher, encoder } = this.#context;
    // Waiting until the client has read it would keep one more connection open.
    const response = dispatcher.finish(dispatcher.toRejectionResponse(rejection), undefined, socket);
    socket.end(encoder.encode(response, CLOSE, false));
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
    this.#context.encoder.setDate(new Date());
    if (this.#sweeping !== undefined) return;
    this.#sweeping = this.#connections.values();
    this.#sweepSlice(this.#sweeping);
  }

  /** Sweeps on for a moment, then lets requests have their turn. */
  #sweepSlice(connections: Iterator<Connection>): void {
    const nowMs = performance.now();
    while (performance.now() - nowMs < SWEEP_SLICE_MS) {
      const next = connections.next();
      if (next.done) {
        this.#sweeping = undefined;
        return;
      }
      next.value.sweep(nowMs);
    }
    setImmediate(() => this.#sweepSlice(connections));
  }
}
