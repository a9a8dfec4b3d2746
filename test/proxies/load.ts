// A constant rate of POST requests over keep-alive connections. Nothing is repeated: each request has one outcome.
import type { Socket } from "bun";

const TICK_MS = 10;

export interface LoadResult {
  sent: number;
  /** Responses by status; 0 counts requests whose connection ended without one. */
  readonly statuses: Map<number, number>;
}

interface Connection {
  received: string;
  isWaiting: boolean;
}

/** Sends requests to a port of 127.0.0.1 until it is stopped. */
export class Load {
  readonly result: LoadResult = { sent: 0, statuses: new Map() };
  readonly #port: number;
  readonly #request: string;
  readonly #idle: Socket<Connection>[] = [];
  readonly #timer: Timer;
  readonly #startedMs = performance.now();
  #pending = 0;

  constructor(options: { port: number; path: string; body: string; requestsPerSecond: number }) {
    const { port, path, body, requestsPerSecond } = options;
    this.#port = port;
    this.#request = `POST ${path} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    let due = 0;
    this.#timer = setInterval(() => {
      const elapsedMs = performance.now() - this.#startedMs;
      for (; due < (elapsedMs * requestsPerSecond) / 1_000; due++) this.#send();
    }, TICK_MS);
  }

  /** Sends no more requests. @returns the outcomes, once each request has one */
  async stop(): Promise<LoadResult> {
    clearInterval(this.#timer);
    while (this.#pending > 0) await Bun.sleep(TICK_MS);
    for (const socket of this.#idle.splice(0)) socket.end();
    return this.result;
  }

  #send(): void {
    this.result.sent++;
    this.#pending++;
    const socket = this.#idle.pop();
    if (socket !== undefined) this.#write(socket);
    else void this.#connect().catch(() => this.#count(0));
  }

  #write(socket: Socket<Connection>): void {
    socket.data.isWaiting = true;
    socket.write(this.#request);
  }

  async #connect(): Promise<void> {
    await Bun.connect<Connection>({
      hostname: "127.0.0.1",
      port: this.#port,
      socket: {
        open: (socket) => {
          socket.data = { received: "", isWaiting: false };
          this.#write(socket);
        },
        data: (socket, chunk) => this.#read(socket, chunk.toString()),
        close: (socket) => this.#close(socket),
        error: () => {},
      },
    });
  }

  #read(socket: Socket<Connection>, text: string): void {
    const { data } = socket;
    data.received += text;
    const [head = "", body] = data.received.split("\r\n\r\n");
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
    if (body === undefined || body.length < length) return;
    data.received = "";
    data.isWaiting = false;
    this.#count(Number(head.split(" ")[1]));
    if (/connection: close/i.test(head)) socket.end();
    else this.#idle.push(socket);
  }

  #close(socket: Socket<Connection>): void {
    const at = this.#idle.indexOf(socket);
    if (at >= 0) this.#idle.splice(at, 1);
    if (socket.data?.isWaiting) this.#count(0);
  }

  #count(status: number): void {
    this.#pending--;
    const { statuses } = this.result;
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
}
