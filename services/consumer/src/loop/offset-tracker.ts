// Tracks which offset of a partition may be committed: everything below it is finished, in whatever order that happened.

/** Finished offsets at the front of the array before it is compacted. */
const COMPACT_AT = 1_024;

export class OffsetTracker {
  /** Offsets started, ascending. The first that isn't finished is at `#head`. */
  #started: number[] = [];
  #head = 0;
  /** Offsets finished while an older one is still in flight. */
  readonly #finishedAhead = new Set<number>();
  #next = -1;

  /** The next offset to commit; -1 before the first record. */
  get position(): number {
    return this.#head < this.#started.length ? this.#started[this.#head]! : this.#next;
  }

  /** Number of offsets in flight. */
  get pending(): number {
    return this.#started.length - this.#head - this.#finishedAhead.size;
  }

  /** Number of offsets from the oldest in flight on, finished or not: a crash repeats these. */
  get span(): number {
    return this.#started.length - this.#head;
  }

  /** One past the last offset that was started; -1 before the first. */
  get next(): number {
    return this.#next;
  }

  /**
   * Starts a record. Offsets ascend; gaps (compacted records, transaction markers) need no work.
   * @throws RangeError when the offset was started before
   */
  start(offset: number): void {
    if (offset < this.#next) throw new RangeError(`offset ${offset} was started before ${this.#next}`);
    this.#next = offset + 1;
    this.#started.push(offset);
  }

  /** No record below this offset is still to come. */
  skipTo(offset: number): void {
    this.#next = Math.max(this.#next, offset);
  }

  /** Finishes a started record. Call it once for each. */
  finish(offset: number): void {
    if (offset !== this.#started[this.#head]) {
      this.#finishedAhead.add(offset);
      return;
    }
    this.#head++;
    while (this.#finishedAhead.size > 0 && this.#finishedAhead.delete(this.#started[this.#head]!))
      this.#head++;
    if (this.#head === this.#started.length) {
      this.#started.length = 0;
      this.#head = 0;
    } else if (this.#head > COMPACT_AT && this.#head * 2 > this.#started.length) {
      this.#started = this.#started.slice(this.#head);
      this.#head = 0;
    }
  }
}
