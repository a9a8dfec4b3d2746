// Bytes that arrived and can't be read yet: they are held, and beyond a bound the rest stays with the client.
import type { Socket } from "bun";

/** More than this is not held: the socket is paused until it is read. */
const MAX_HELD_BYTES = 64 * 1024;

export class Input {
  readonly #socket: Pick<Socket<unknown>, "pause" | "resume">;
  #held: Buffer | undefined;
  #isPaused = false;

  constructor(socket: Pick<Socket<unknown>, "pause" | "resume">) {
    this.#socket = socket;
  }

  get isHolding(): boolean {
    return this.#held !== undefined;
  }

  /** @returns the held bytes with the chunk behind them; nothing is held any more */
  join(chunk: Buffer): Buffer {
    if (this.#held === undefined) return chunk;
    const bytes = Buffer.concat([this.#held, chunk]);
    this.#held = undefined;
    return bytes;
  }

  hold(bytes: Buffer, at: number): void {
    this.#held = at === 0 ? bytes : bytes.subarray(at);
    if (this.#held.length <= MAX_HELD_BYTES || this.#isPaused) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  /** Reads from the socket again. @returns the held bytes; nothing is held any more */
  resume(): Buffer | undefined {
    if (this.#isPaused) {
      this.#isPaused = false;
      this.#socket.resume();
    }
    const held = this.#held;
    this.#held = undefined;
    return held;
  }

  clear(): void {
    this.#held = undefined;
  }
}
