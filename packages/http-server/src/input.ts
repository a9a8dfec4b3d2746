// Bytes that arrived and can't be read yet: they are held within the budget, and the rest stays with the client.
import type { Socket } from "bun";
import type { ByteBudget } from "./byte-budget.ts";

export class Input {
  readonly #socket: Pick<Socket<unknown>, "pause" | "resume">;
  readonly #budget: ByteBudget;
  #held: Buffer | undefined;
  #isPaused = false;

  constructor(socket: Pick<Socket<unknown>, "pause" | "resume">, budget: ByteBudget) {
    this.#socket = socket;
    this.#budget = budget;
  }

  get isHolding(): boolean {
    return this.#held !== undefined;
  }

  /** @returns the held bytes with the chunk after them; nothing is held any more */
  join(chunk: Buffer): Buffer {
    const held = this.#take();
    return held === undefined ? chunk : Buffer.concat([held, chunk]);
  }

  /**
   * Holds the bytes from `at` on: a copy, because a view would keep the whole chunk in memory.
   * @returns false when the budget has no room for them; nothing is held then
   */
  hold(bytes: Buffer, at: number): boolean {
    const length = bytes.length - at;
    if (!this.#budget.take(length)) return false;
    const held = Buffer.allocUnsafeSlow(length);
    bytes.copy(held, 0, at);
    this.#held = held;
    return true;
  }

  /** Reads nothing more from the socket until `resume`. */
  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  /** Reads from the socket again. @returns the held bytes; nothing is held any more */
  resume(): Buffer | undefined {
    if (this.#isPaused) {
      this.#isPaused = false;
      this.#socket.resume();
    }
    return this.#take();
  }

  /** Nothing is held any more, and what still arrives is read. */
  clear(): void {
    this.resume();
  }

  #take(): Buffer | undefined {
    const held = this.#held;
    if (held === undefined) return undefined;
    this.#held = undefined;
    this.#budget.release(held.length);
    return held;
  }
}
