import { describe, expect, test } from "bun:test";
import type { ConsumerStatistics } from "@ingest/kafka";
import { eventRecord, partitions } from "../loop/loop-fixture.ts";
import { PartitionWork } from "../loop/partition-work.ts";
import { handling, settling } from "./stages.ts";

const create = () => new PartitionWork(partitions(0)[0]!, 1, () => undefined);

function statistics(isLeaderUp: boolean): ConsumerStatistics {
  const partition = { topic: "events", partition: 0, lag: 5, endOffset: 5, nextOffset: 0, fetchedAhead: 0 };
  return { partitions: [{ ...partition, committedOffset: 0, isLeaderUp }] } as unknown as ConsumerStatistics;
}

describe("handling", () => {
  // Fault: a record in hand counted while Kafka was away, and a dead letter that can't be written then was a stall.
  test("has work with a record in hand, unless Kafka is away", () => {
    let isConnected = true;
    const stage = handling(
      () => isConnected,
      () => undefined,
    );
    const work = create();
    expect(stage.hasWork(work)).toBe(false);
    work.accept(eventRecord(0, 0));
    expect(stage.hasWork(work)).toBe(true);
    isConnected = false;
    expect(stage.hasWork(work)).toBe(false);
  });

  test("has work with lag, unless the partition's leader is away", () => {
    const at = (isLeaderUp: boolean) =>
      handling(
        () => true,
        () => statistics(isLeaderUp),
      ).hasWork(create());
    expect(at(true)).toBe(true);
    expect(at(false)).toBe(false);
  });

  test("gets on with each try that fails and each record that is done with", () => {
    const stage = handling(
      () => true,
      () => undefined,
    );
    const work = create();
    work.accept(eventRecord(0, 0));
    expect(stage.done(work)).toBe(0);
    work.failedTry();
    expect(stage.done(work)).toBe(1);
    work.finish(eventRecord(0, 0));
    expect(stage.done(work)).toBe(2);
  });
});

// Fault: what was handled and not flushed was no work. With little traffic a flush that failed for ever was never a stall.
test("settling has work from handled until flushed", () => {
  const work = create();
  expect(settling.hasWork(work)).toBe(false);
  work.accept(eventRecord(0, 0));
  work.finish(eventRecord(0, 0));
  expect(settling.hasWork(work)).toBe(true);
  expect(settling.done(work)).toBe(0);
  work.settle(work.progress());
  expect(settling.hasWork(work)).toBe(false);
  expect(settling.done(work)).toBe(1);
});
