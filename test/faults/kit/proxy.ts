// A TCP proxy with faults: what a network does to a connection, at will.
import { connect, createServer, type Server, type Socket } from "node:net";

export interface ProxyOptions {
  /** Where connections are passed on to, on 127.0.0.1. */
  targetPort: number;
  /** Where it listens, on 127.0.0.1; 0 takes a free port. */
  port?: number;
}

/** How bytes are passed on. */
interface Pace {
  /** Each chunk arrives this much later, ms. */
  delayMs: number;
  /** No more than this in each direction of each connection, bytes a second. */
  bytesPerSecond: number;
}

const FULL_PACE: Pace = { delayMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY };

export class TcpProxy implements AsyncDisposable {
  readonly #targetPort: number;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #isCut = false;
  #isSilent = false;
  #pace = FULL_PACE;

  private constructor(options: ProxyOptions) {
    this.#targetPort = options.targetPort;
    this.#server = createServer((client) => this.#accept(client));
  }

  static async start(options: ProxyOptions): Promise<TcpProxy> {
    const proxy = new TcpProxy(options);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    proxy.#server.once("error", reject);
    proxy.#server.listen(options.port ?? 0, "127.0.0.1", resolve);
    await promise;
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get connections(): number {
    return this.#links.size;
  }

  /** Resets every connection, and every new one, until `mend`. */
  cut(): void {
    this.#isCut = true;
    for (const link of this.#links) link.reset();
  }

  /** Connections stay open, new ones are taken, and nothing gets through until `mend`. */
  silence(): void {
    this.#isSilent = true;
    for (const link of this.#links) link.hold(true);
  }

  /** Passes bytes on late and slowly until `mend`. */
  slow(pace: Pace): void {
    this.#pace = pace;
    for (const link of this.#links) link.pace = pace;
  }

  mend(): void {
    this.#isCut = false;
    this.#isSilent = false;
    this.#pace = FULL_PACE;
    for (const link of this.#links) {
      link.pace = FULL_PACE;
      link.hold(false);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    if (this.#isCut) {
      client.resetAndDestroy();
      return;
    }
    const broker = connect(this.#targetPort, "127.0.0.1");
    const link = new Link(client, broker, this.#pace);
    link.hold(this.#isSilent);
    this.#links.add(link);
    link.onEnd = () => this.#links.delete(link);
  }
}

/** One connection through the proxy: two sockets and what flows between them. */
class Link {
  pace: Pace;
  onEnd: () => void = () => {};
  #isHeld = false;
  #whenReleased: (() => void)[] = [];

  constructor(
    readonly client: Socket,
    readonly broker: Socket,
    pace: Pace,
  ) {
    this.pace = pace;
    for (const socket of [client, broker]) {
      socket.setNoDelay(true);
      socket.on("error", () => this.reset());
      socket.on("close", () => this.reset());
    }
    void this.#carry(client, broker);
    void this.#carry(broker, client);
  }

  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    if (isHeld) return;
    for (const release of this.#whenReleased.splice(0)) release();
  }

  reset(): void {
    this.hold(false);
    this.client.resetAndDestroy();
    this.broker.resetAndDestroy();
    this.onEnd();
  }

  async #carry(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const chunk of from) {
        await this.#wait((chunk as Buffer).length);
        if (to.destroyed) return;
        if (!to.write(chunk as Buffer)) await drained(to);
      }
      to.end();
    } catch {
      this.reset();
    }
  }

  async #wait(bytes: number): Promise<void> {
    if (this.#isHeld) await new Promise<void>((resolve) => this.#whenReleased.push(resolve));
    const { delayMs, bytesPerSecond } = this.pace;
    const ms = delayMs + (bytes / bytesPerSecond) * 1_000;
    if (ms > 0) await Bun.sleep(ms);
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once("drain", resolve);
    socket.once("close", resolve);
  });
}
