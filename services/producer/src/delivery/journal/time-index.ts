// When a segment's records were received, to the second, without a number for each.

const RESOLUTION_MS = 1_000;

export class TimeIndex {
  #ordinals: number[] = [];
  #times: number[] = [];

  /** Ordinals come in rising order. */
  note(ordinal: number, timestampMs: number): void {
    const last = this.#times[this.#times.length - 1];
    if (last !== undefined && timestampMs < last + RESOLUTION_MS) return;
    this.#ordinals.push(ordinal);
    this.#times.push(timestampMs);
  }

  /** When this record was received: at most a second too early. Undefined before the first note. */
  of(ordinal: number): number | undefined {
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
