import { describe, expect, test } from "bun:test";
import { Random } from "@ingest/testkit";
import { OffsetTracker } from "./offset-tracker.ts";

describe("OffsetTracker", () => {
  test("has no position before the first record", () => {
    expect(new OffsetTracker().position).toBe(-1);
  });

  test("advances past finished offsets only", () => {
    const tracker = new OffsetTracker();
    for (const offset of [10, 11, 12]) tracker.start(offset);
    expect(tracker.position).toBe(10);
    tracker.finish(11);
    expect(tracker.position).toBe(10);
    tracker.finish(10);
    expect(tracker.position).toBe(12);
    tracker.finish(12);
    expect(tracker.position).toBe(13);
  });

  test("gaps in the offsets need no work", () => {
    const tracker = new OffsetTracker();
    tracker.start(5);
    tracker.start(90);
    tracker.finish(5);
    expect(tracker.position).toBe(90);
    tracker.finish(90);
    expect(tracker.position).toBe(91);
  });

  test("refuses an offset that was started before", () => {
    const tracker = new OffsetTracker();
    tracker.start(5);
    expect(() => tracker.start(5)).toThrow(RangeError);
  });

  test("agrees with a simple model, in any order of finishing", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = new Random(seed);
      const tracker = new OffsetTracker();
      const open: number[] = [];
      let next = random.below(1_000);
      let position = -1;
      for (let step = 0; step < 3_000; step++) {
        if (random.chance(0.05)) {
          // The end of the partition, behind the last record or after offsets without one.
          next += random.below(3);
          tracker.skipTo(next - random.below(2));
          tracker.skipTo(next);
        } else if (open.length === 0 || random.next() < 0.5) {
          next += random.next() < 0.1 ? 1 + random.below(5) : 0;
          tracker.start(next);
          open.push(next);
          next++;
        } else {
          // Mostly the oldest, as with few lanes; now and then any.
          const at = random.next() < 0.5 ? 0 : random.below(open.length);
          tracker.finish(open.splice(at, 1)[0]!);
        }
        const expected = open.length > 0 ? Math.min(...open) : next;
        expect(tracker.position).toBe(expected);
        expect(tracker.pending).toBe(open.length);
        expect(tracker.position).toBeGreaterThanOrEqual(position);
        position = tracker.position;
      }
    }
  });
});
