// When the records of a segment were received, to the second: a sparse index, like Kafka's of the same name.

const RESOLUTION_MS = 1_000;

export class TimeIndex {
  #ordinals: number[] = [];
  #times: number[] = [];

  /** Ordinals are added in ascending order. */
  add(ordinal: number, receivedMs: number): void {
    const last = this.#times[this.#times.length - 1];
    if (last !== undefined && receivedMs < last + RESOLUTION_MS) return;
    this.#ordinals.push(ordinal);
    this.#times.push(receivedMs);
  }

  /** When this record was received, at most a second too early. Undefined when nothing was added yet. */
  lookup(ordinal: number): number | undefined {
    let low = 0;
    let high = this.#ordinals.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ordinals[middle]! <= ordinal) low = middle + 1;
      else high = middle;
    }
    return this.#times[low - 1];
  }
}
