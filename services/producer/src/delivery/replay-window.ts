// How many replayed records may be in flight: one at first, as a probe of whether Kafka accepts it; then the window
// doubles with each delivery, up to a bound that limits how far the journal is read ahead.

const MAX_RECORDS = 20_000;

export class ReplayWindow {
  #size = 1;

  get size(): number {
    return this.#size;
  }

  /** @param isOpen Kafka is known to accept records: start at the full size */
  reset(isOpen: boolean): void {
    this.#size = isOpen ? MAX_RECORDS : 1;
  }

  /** A record was delivered. */
  grow(): void {
    this.#size = Math.min(this.#size * 2, MAX_RECORDS);
  }
}
