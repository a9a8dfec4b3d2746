// Frees discarded bytes in time. Each piece that arrives is an object of its own, and the runtime collects garbage by the size
// of its objects rather than of their bytes: clients that send refused bodies could fill the memory before it does.

const COLLECT_AFTER_BYTES = 64 * 1024 * 1024;

export class DiscardMeter {
  #bytes = 0;

  constructor(readonly collectGarbage: () => void = () => Bun.gc(true)) {}

  /** Collects garbage each time 64 MiB have been discarded. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < COLLECT_AFTER_BYTES) return;
    this.#bytes = 0;
    this.collectGarbage();
  }
}
