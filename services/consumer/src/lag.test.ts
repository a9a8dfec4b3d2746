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

const work = (position: number, underWay = 0) => ({ topic: "events", partition: 0, position, underWay });

describe("lagOf", () => {
  test("is what lies between the handled and the end", () => {
    expect(lagOf(work(4), statistics({}))).toBe(6);
    expect(lagOf(work(12), statistics({}))).toBe(0);
  });

  test("before the first record it is what librdkafka says", () => {
    expect(lagOf(work(-1), statistics({}))).toBe(7);
    expect(lagOf(work(-1), statistics({ lag: -1 }))).toBeUndefined();
  });

  test("isn't known without statistics, or before the first answer", () => {
    expect(lagOf(work(4), undefined)).toBeUndefined();
    expect(lagOf(work(4), statistics({ endOffset: -1001 }))).toBeUndefined();
    expect(lagOf({ ...work(4), partition: 1 }, statistics({}))).toBeUndefined();
  });

  test("a marker at the end is none, once everything before it is handled", () => {
    const atEnd = statistics({ endOffset: 10, nextOffset: 10 });
    expect(lagOf(work(9), atEnd)).toBe(0);
    expect(lagOf(work(9, 1), atEnd)).toBe(1);
    expect(lagOf(work(8), statistics({ endOffset: 10, nextOffset: 10, fetchedAhead: 1 }))).toBe(2);
  });
});
