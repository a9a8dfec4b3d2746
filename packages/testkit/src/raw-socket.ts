import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { until } from "./until.ts";

/** A TCP connection whose bytes a test writes itself. Destroyed when disposed of. */
export class RawSocket implements Disposable {
  /** Everything received so far. */
  received = "";
  isClosed = false;
  /** The server sends nothing more. */
  hasEnded = false;
  /** The connection was established. */
  hasConnected = false;
  readonly socket: Socket;

  /**
   * Connects to a port of 127.0.0.1.
   * @param tls speaks TLS with it, and trusts these authorities (PEM)
   */
  constructor(port: number, tls?: { ca: string; cert?: string; key?: string }) {
    const address = { port, host: "127.0.0.1" };
    this.socket =
      tls === undefined
        ? connect({ ...address, noDelay: true })
        : connectTls({ ...address, ...tls, servername: "localhost" }).setNoDelay();
    this.socket.on("data", (chunk) => {
      this.received += chunk.toString();
    });
    this.socket.on(tls === undefined ? "connect" : "secureConnect", () => {
      this.hasConnected = true;
    });
    this.socket.on("end", () => {
      this.hasEnded = true;
    });
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.isClosed = true;
    });
  }

  write(data: string | Uint8Array): void {
    this.socket.write(data);
  }

  /** Everything received, once it contains a text this many times. */
  async untilReceived(text: string, times = 1): Promise<string> {
    await this.#until(`"${text}"`, () => this.received.split(text).length > times);
    return this.received;
  }

  /** Everything received, once the connection is closed. */
  async untilClosed(): Promise<string> {
    await this.#until("the close", () => this.isClosed);
    return this.received;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  async #until(what: string, condition: () => boolean): Promise<void> {
    await until(what, condition, 10_000).catch((error: Error) => {
      throw new Error(`${error.message}; received ${JSON.stringify(this.received)}`, { cause: error });
    });
  }
}
