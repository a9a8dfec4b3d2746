// The journal's segments in the order of replay, and what they amount to together.

import type { Segment } from "./segment.ts";

export class SegmentList implements Iterable<Segment> {
  readonly #segments: Segment[] = [];
  /** Bytes of segments that are no longer appended to, less what was removed. */
  #appended = 0;

  /** Bytes on disk and in memory, acknowledged or not. */
  get bytes(): number {
    return this.#appended;
  }

  get length(): number {
    return this.#segments.length;
  }

  get last(): Segment | undefined {
    return this.#segments.at(-1);
  }

  /** Records that aren't acknowledged. */
  get open(): number {
    let open = 0;
    for (const segment of this.#segments) open += segment.open;
    return open;
  }

  [Symbol.iterator](): Iterator<Segment> {
    return this.#segments[Symbol.iterator]();
  }

  has(segment: Segment): boolean {
    return this.#segments.includes(segment);
  }

  /** The first segment, or the one that follows `segment`, which need not be here any more. */
  after(segment: Segment | undefined): Segment | undefined {
    return segment ? this.#segments.find(({ id }) => id > segment.id) : this.#segments[0];
  }

  add(segment: Segment): void {
    const index = this.#segments.findIndex(({ id }) => id > segment.id);
    this.#segments.splice(index === -1 ? this.#segments.length : index, 0, segment);
    this.#appended += segment.length;
  }

  /** A segment that is here has grown. */
  addBytes(bytes: number): void {
    this.#appended += bytes;
  }

  /** @returns false when it wasn't here */
  remove(segment: Segment): boolean {
    const index = this.#segments.indexOf(segment);
    if (index === -1) return false;
    this.#segments.splice(index, 1);
    this.#appended -= segment.length;
    return true;
  }

  /** How long the oldest record that isn't acknowledged has been waiting, ms; 0 when there is none. */
  oldestAgeMs(nowMs: number): number {
    for (const segment of this.#segments) {
      if (segment.isDone) continue;
      return Math.max(0, nowMs - (segment.times.of(segment.acks.lowestMissing) ?? nowMs));
    }
    return 0;
  }
}
