// Free connections, oldest first: all connections, and all workers behind them, get an equal share.

export class SlotQueue {
  readonly #slots: Int32Array;
  #head = 0;
  length: number;

  constructor(slots: number) {
    this.#slots = Int32Array.from({ length: slots }, (_, slot) => slot);
    this.length = slots;
  }

  push(slot: number): void {
    this.#slots[(this.#head + this.length++) % this.#slots.length] = slot;
  }

  /** The queue must not be empty. */
  take(): number {
    const slot = this.#slots[this.#head]!;
    this.#head = (this.#head + 1) % this.#slots.length;
    this.length--;
    return slot;
  }
}
