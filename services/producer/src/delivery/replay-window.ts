// How many records of a backlog may be in flight at once: one at first, to see whether Kafka takes it; then twice as many
// for each success, up to a bound that keeps what is read ahead small.

const MAX_RECORDS = 20_000;

export class ReplayWindow {
  #size = 1;

  get size(): number {
    return this.#size;
  }

  /** @param isOpen Kafka is known to take records */
  reset(isOpen: boolean): void {
    this.#size = isOpen ? MAX_RECORDS : 1;
  }

  /** A record was delivered. */
  grow(): void {
    this.#size = Math.min(this.#size * 2, MAX_RECORDS);
  }
}
