import { describe, expect, test } from "bun:test";
import type { ConsumerStatistics } from "@ingest/kafka";
import { eventRecord, partitions } from "../loop/loop-fixture.ts";
import { PartitionTask } from "../loop/partition-task.ts";
import { flushing, handling } from "./stages.ts";

const create = () => new PartitionTask(partitions(0)[0]!, 1, () => undefined);

function statistics(isLeaderUp: boolean): ConsumerStatistics {
  const partition = { topic: "events", partition: 0, lag: 5, endOffset: 5, nextOffset: 0, fetchedAhead: 0 };
  return { partitions: [{ ...partition, committedOffset: 0, isLeaderUp }] } as unknown as ConsumerStatistics;
}

describe("handling", () => {
  // Fault: a record in flight counted while Kafka was unavailable, so a dead letter that could not be written was a stall.
  test("has work with a record in flight, unless Kafka is unavailable", () => {
    let isConnected = true;
    const stage = handling(
      () => isConnected,
      () => undefined,
    );
    const task = create();
    expect(stage.hasWork(task)).toBe(false);
    task.accept(eventRecord(0, 0));
    expect(stage.hasWork(task)).toBe(true);
    isConnected = false;
    expect(stage.hasWork(task)).toBe(false);
  });

  test("has no work while an event waits for its next try, however long", async () => {
    const stage = handling(
      () => true,
      () => undefined,
    );
    const task = create();
    task.accept(eventRecord(0, 0));
    const pausing = task.pauseBetweenTries(60_000);
    expect(stage.hasWork(task)).toBe(false);
    task.fence();
    expect(await pausing).toBe(false);
    expect(stage.hasWork(task)).toBe(true);
  });

  test("has work with lag, unless the partition's leader is unavailable", () => {
    const at = (isLeaderUp: boolean) =>
      handling(
        () => true,
        () => statistics(isLeaderUp),
      ).hasWork(create());
    expect(at(true)).toBe(true);
    expect(at(false)).toBe(false);
  });

  test("makes progress with each failed try and each finished record", () => {
    const stage = handling(
      () => true,
      () => undefined,
    );
    const task = create();
    task.accept(eventRecord(0, 0));
    expect(stage.progress(task)).toBe(0);
    task.countFailedTry();
    expect(stage.progress(task)).toBe(1);
    task.finish(eventRecord(0, 0));
    expect(stage.progress(task)).toBe(2);
  });
});

// Fault: handled records that were not flushed didn't count as work. With little traffic a flush that kept failing was
// never a stall.
test("flushing has work from a handled record until it is flushed", () => {
  const task = create();
  expect(flushing.hasWork(task)).toBe(false);
  task.accept(eventRecord(0, 0));
  task.finish(eventRecord(0, 0));
  expect(flushing.hasWork(task)).toBe(true);
  expect(flushing.progress(task)).toBe(0);
  task.markFlushed(task.checkpoint());
  expect(flushing.hasWork(task)).toBe(false);
  expect(flushing.progress(task)).toBe(1);
});
