// The journal's segments in the order of replay, and their totals.

import type { Segment } from "./segment.ts";

export class SegmentList implements Iterable<Segment> {
  readonly #segments: Segment[] = [];
  #bytes = 0;

  /** Bytes on disk and in memory, acknowledged or not. */
  get bytes(): number {
    return this.#bytes;
  }

  get length(): number {
    return this.#segments.length;
  }

  get last(): Segment | undefined {
    return this.#segments.at(-1);
  }

  /** Number of unacknowledged records. */
  get unacknowledged(): number {
    let count = 0;
    for (const segment of this.#segments) count += segment.unacknowledged;
    return count;
  }

  [Symbol.iterator](): Iterator<Segment> {
    return this.#segments[Symbol.iterator]();
  }

  has(segment: Segment): boolean {
    return this.#segments.includes(segment);
  }

  /** The segment that follows `segment`, which may have been removed meanwhile; without one, the first. */
  after(segment: Segment | undefined): Segment | undefined {
    return segment ? this.#segments.find(({ id }) => id > segment.id) : this.#segments[0];
  }

  add(segment: Segment): void {
    const index = this.#segments.findIndex(({ id }) => id > segment.id);
    this.#segments.splice(index === -1 ? this.#segments.length : index, 0, segment);
    this.#bytes += segment.length;
  }

  /** Counts bytes that were appended to a segment of the list. */
  addBytes(bytes: number): void {
    this.#bytes += bytes;
  }

  /** @returns false when it isn't in the list */
  remove(segment: Segment): boolean {
    const index = this.#segments.indexOf(segment);
    if (index === -1) return false;
    this.#segments.splice(index, 1);
    this.#bytes -= segment.length;
    return true;
  }

  /** Age of the oldest unacknowledged record, ms; 0 when there is none. */
  oldestAgeMs(nowMs: number): number {
    for (const segment of this.#segments) {
      if (segment.isDone) continue;
      return Math.max(0, nowMs - (segment.times.lookup(segment.acks.lowestMissing) ?? nowMs));
    }
    return 0;
  }
}
