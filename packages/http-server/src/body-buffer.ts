// Collects the bytes of a body. Memory grows with the bytes that arrived, not with the length that was declared.
import type { ByteBudget } from "./byte-budget.ts";

/** Little, so that many bodies of which hardly anything has come leave the budget to the others. */
const FIRST_BYTES = 1024;

export class BodyBuffer {
  #bytes = Buffer.alloc(0);
  #length = 0;

  constructor(
    readonly budget: ByteBudget,
    /** The caller never pushes more than this. */
    readonly maxBytes: number,
  ) {}

  /** @returns false when the budget has no room for the bytes; none are added then */
  push(bytes: Buffer, from: number, to: number): boolean {
    const length = this.#length + to - from;
    if (length > this.#bytes.length) {
      const capacity = Math.min(this.maxBytes, Math.max(FIRST_BYTES, length, 2 * this.#bytes.length));
      if (!this.budget.take(capacity - this.#bytes.length)) return false;
      const grown = Buffer.allocUnsafeSlow(capacity);
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    bytes.copy(this.#bytes, this.#length, from, to);
    this.#length = length;
    return true;
  }

  /** What was pushed. It stays charged to the budget until `release`. */
  get content(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  release(): void {
    this.budget.release(this.#bytes.length);
    this.#bytes = Buffer.alloc(0);
    this.#length = 0;
  }
}
