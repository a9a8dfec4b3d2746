// Bytes of a body as they come, end to end: the room for them grows with what came, not with what was announced.
import type { ByteBudget } from "../byte-budget.ts";

const FIRST_BYTES = 16 * 1024;

export class BodyBuffer {
  #bytes = Buffer.alloc(0);
  length = 0;

  constructor(
    readonly budget: ByteBudget,
    /** It is never asked to hold more than this. */
    readonly maxBytes: number,
  ) {}

  /** False when there is no room for them in the budget: nothing was added then. */
  push(bytes: Buffer, from: number, to: number): boolean {
    const length = this.length + to - from;
    if (length > this.#bytes.length) {
      const room = Math.min(this.maxBytes, Math.max(FIRST_BYTES, length, 2 * this.#bytes.length));
      if (!this.budget.take(room - this.#bytes.length)) return false;
      const grown = Buffer.allocUnsafeSlow(room);
      this.#bytes.copy(grown, 0, 0, this.length);
      this.#bytes = grown;
    }
    bytes.copy(this.#bytes, this.length, from, to);
    this.length = length;
    return true;
  }

  /** What was pushed. It still counts against the budget. */
  get content(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  /** Gives its room back. */
  release(): void {
    this.budget.release(this.#bytes.length);
    this.#bytes = Buffer.alloc(0);
    this.length = 0;
  }
}
