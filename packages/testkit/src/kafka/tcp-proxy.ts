// A TCP proxy that injects network faults: resets, silence, delay and little bandwidth.
import { connect, createServer, type Server, type Socket } from "node:net";

export interface ProxyOptions {
  /** The port on 127.0.0.1 to which connections are forwarded. */
  targetPort: number;
  /** The port to listen on, on 127.0.0.1; 0, the default, takes a free one. */
  port?: number;
}

/** How fast bytes are forwarded, in each direction of each connection. */
interface Rate {
  /** Added to each chunk, ms. */
  delayMs: number;
  /** The bandwidth, bytes a second. */
  bytesPerSecond: number;
}

const FULL_RATE: Rate = { delayMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY };

/** Resets all connections and stops listening when disposed of. */
export class TcpProxy implements AsyncDisposable {
  readonly #targetPort: number;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #isCut = false;
  #isSilent = false;
  #rate = FULL_RATE;

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

  /** Resets every connection, new ones too, until `restore`. */
  cut(): void {
    this.#isCut = true;
    for (const link of this.#links) link.reset();
  }

  /** Keeps connections open and accepts new ones, but forwards nothing until `restore`. */
  silence(): void {
    this.#isSilent = true;
    for (const link of this.#links) link.hold(true);
  }

  /** Delays bytes and limits the bandwidth until `restore`. */
  slow(rate: Rate): void {
    this.#rate = rate;
    for (const link of this.#links) link.rate = rate;
  }

  /** Ends all faults; bytes that were held are forwarded. */
  restore(): void {
    this.#isCut = false;
    this.#isSilent = false;
    this.#rate = FULL_RATE;
    for (const link of this.#links) {
      link.rate = FULL_RATE;
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
    const target = connect(this.#targetPort, "127.0.0.1");
    const link = new Link(client, target, this.#rate);
    link.hold(this.#isSilent);
    this.#links.add(link);
    link.onEnd = () => this.#links.delete(link);
  }
}

/** One connection through the proxy: the client's socket and the one to the target. */
class Link {
  rate: Rate;
  onEnd: () => void = () => {};
  #isHeld = false;
  #whenReleased: (() => void)[] = [];

  constructor(
    readonly client: Socket,
    readonly target: Socket,
    rate: Rate,
  ) {
    this.rate = rate;
    for (const socket of [client, target]) {
      socket.setNoDelay(true);
      socket.on("error", () => this.reset());
      socket.on("close", () => this.reset());
    }
    void this.#forward(client, target);
    void this.#forward(target, client);
  }

  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    if (isHeld) return;
    for (const release of this.#whenReleased.splice(0)) release();
  }

  reset(): void {
    this.hold(false);
    this.client.resetAndDestroy();
    this.target.resetAndDestroy();
    this.onEnd();
  }

  async #forward(from: Socket, to: Socket): Promise<void> {
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
    const { delayMs, bytesPerSecond } = this.rate;
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
