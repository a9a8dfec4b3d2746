// Which offset of a partition may be committed: everything below it is done, whatever order it was done in.

/** Head room before the list of those under way is moved to its array's start. */
const COMPACT_AT = 1_024;

export class OffsetTracker {
  /** Offsets under way, ascending, from `#head` on. */
  #started: number[] = [];
  #head = 0;
  /** Done, with an older one still under way. */
  readonly #doneAhead = new Set<number>();
  /** One past the last that was started. */
  #next = -1;

  /** The next offset to commit; -1 before the first record. */
  get position(): number {
    return this.#head < this.#started.length ? this.#started[this.#head]! : this.#next;
  }

  /** How many are under way. */
  get pending(): number {
    return this.#started.length - this.#head - this.#doneAhead.size;
  }

  /** How many there are from the oldest under way on, done or not: what would be done again after a crash. */
  get span(): number {
    return this.#started.length - this.#head;
  }

  /** One past the last offset that was started; -1 before the first. */
  get next(): number {
    return this.#next;
  }

  /**
   * A record is taken up. Offsets come ascending; gaps (compacted records, transaction markers) are nobody's work.
   * @throws RangeError when the offset was taken up before
   */
  start(offset: number): void {
    if (offset < this.#next) throw new RangeError(`offset ${offset} was taken up before ${this.#next}`);
    this.#next = offset + 1;
    this.#started.push(offset);
  }

  /** A record is done with: handled, or safe in the dead-letter topic. Each is told of once. */
  finish(offset: number): void {
    if (offset !== this.#started[this.#head]) {
      this.#doneAhead.add(offset);
      return;
    }
    this.#head++;
    while (this.#doneAhead.size > 0 && this.#doneAhead.delete(this.#started[this.#head]!)) this.#head++;
    if (this.#head === this.#started.length) {
      this.#started.length = 0;
      this.#head = 0;
    } else if (this.#head > COMPACT_AT && this.#head * 2 > this.#started.length) {
      this.#started = this.#started.slice(this.#head);
      this.#head = 0;
    }
  }
}
