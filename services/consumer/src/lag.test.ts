import { describe, expect, test } from "bun:test";
import type { ConsumerStatistics } from "@ingest/kafka";
import { lagOf } from "./lag.ts";

function statistics(over: Partial<ConsumerStatistics["partitions"][number]>): ConsumerStatistics {
  const partition = {
    topic: "events",
    partition: 0,
    lag: 7,
    committedOffset: 3,
    endOffset: 10,
    nextOffset: 5,
    fetchedAhead: 0,
    isLeaderUp: true,
    ...over,
  };
  return { partitions: [partition] } as unknown as ConsumerStatistics;
}

const task = (position: number, inFlight = 0) => ({ topic: "events", partition: 0, position, inFlight });

describe("lagOf", () => {
  test("counts the offsets from the oldest unhandled to the end", () => {
    expect(lagOf(task(4), statistics({}))).toBe(6);
    expect(lagOf(task(12), statistics({}))).toBe(0);
  });

  test("is librdkafka's estimate before the first record", () => {
    expect(lagOf(task(-1), statistics({}))).toBe(7);
    expect(lagOf(task(-1), statistics({ lag: -1 }))).toBeUndefined();
  });

  test("is unknown without statistics, or before the broker has reported an end", () => {
    expect(lagOf(task(4), undefined)).toBeUndefined();
    expect(lagOf(task(4), statistics({ endOffset: -1001 }))).toBeUndefined();
    expect(lagOf({ ...task(4), partition: 1 }, statistics({}))).toBeUndefined();
  });

  test("a transaction marker at the end doesn't count once everything before it is handled", () => {
    const atEnd = statistics({ endOffset: 10, nextOffset: 10 });
    expect(lagOf(task(9), atEnd)).toBe(0);
    expect(lagOf(task(9, 1), atEnd)).toBe(1);
    expect(lagOf(task(8), statistics({ endOffset: 10, nextOffset: 10, fetchedAhead: 1 }))).toBe(2);
  });
});
