// Connected Kafka clients in reserve: after a refusal the client in use sends nothing more, and another needs a moment to
// connect. There are none until Kafka has refused something.

import type { Client } from "./client.ts";

const COUNT = 3;
/** After so long without a refusal they are closed, ms. */
const KEEP_MS = 60_000;

export class SpareClients {
  readonly #create: () => Client;
  readonly #close: (client: Client) => void;
  readonly #clients: Client[] = [];
  #usedMs = 0;

  constructor(create: () => Client, close: (client: Client) => void) {
    this.#create = create;
    this.#close = close;
  }

  /** Takes the one that was created first, or a new one, and creates others. */
  take(nowMs: number): Client {
    this.#usedMs = nowMs;
    const client = this.#clients.shift() ?? this.#create();
    while (this.#clients.length < COUNT) this.#clients.push(this.#create());
    return client;
  }

  tick(nowMs: number): void {
    if (this.#clients.length > 0 && nowMs - this.#usedMs > KEEP_MS) this.closeAll();
  }

  closeAll(): void {
    for (const client of this.#clients.splice(0)) this.#close(client);
  }
}
