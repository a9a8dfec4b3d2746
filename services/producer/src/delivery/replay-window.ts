// How many events may be in flight while waiting ones are sent: one at first, as a probe of whether Kafka accepts it; then
// one more with each delivery, which doubles the window in each round trip, as in TCP's slow start. The bound limits how
// far the journal is read ahead.

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
    this.#size = Math.min(this.#size + 1, MAX_RECORDS);
  }
}
