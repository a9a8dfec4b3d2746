import { describe, expect, test } from "bun:test";
import { createLog } from "@ingest/service";
import { Counters } from "../counters.ts";
import { Flusher } from "./flusher.ts";
import { eventRecord, partitions } from "./loop-fixture.ts";
import { PartitionTask } from "./partition-task.ts";

const options = {
  seen: undefined,
  backoff: { firstMs: 1, maxMs: 1 },
  counters: new Counters(),
  log: createLog("test", { LOG_LEVEL: "silent", LOG_FORMAT: "json" }),
};

/** A partition with one finished record. */
function handled(partition: number): PartitionTask {
  const task = new PartitionTask(partitions(partition)[0]!, 1, () => undefined);
  task.accept(eventRecord(partition, 0));
  task.finish(eventRecord(partition, 0));
  return task;
}

describe("Flusher", () => {
  // Fault: while a flush was stuck, each turn of the loop queued one more behind it, all to be run one by one.
  test("calls during a flush share the next one", async () => {
    const gate = Promise.withResolvers<void>();
    let flushes = 0;
    const handler = {
      name: "test",
      handle() {},
      flush() {
        flushes++;
        return gate.promise;
      },
    };
    const flusher = new Flusher({ ...options, handler });
    const [first, second, third] = [handled(0), handled(1), handled(2)];
    const flushed = [flusher.flush([first!])];
    await Promise.resolve();
    expect(flushes).toBe(1);
    for (let i = 0; i < 10; i++) flushed.push(flusher.flush([first!, second!]), flusher.flush([third!]));
    expect(second!.committable).toBe(-1);
    gate.resolve();
    await Promise.all(flushed);
    expect(flushes).toBe(2);
    expect([first, second, third].map((task) => task!.committable)).toEqual([1, 1, 1]);
  });

  // Fault: with a handler without a flush, nothing waited for the log's lines, which piled up when they were not read.
  test("waits for the log's output with any handler", async () => {
    const gate = Promise.withResolvers<void>();
    const flusher = new Flusher({
      ...options,
      handler: { name: "test", handle() {} },
      output: { flush: () => gate.promise },
    });
    const task = handled(0);
    const flushed = flusher.flush([task]);
    await new Promise(setImmediate);
    expect(task.committable).toBe(-1);
    gate.resolve();
    await flushed;
    expect(task.committable).toBe(1);
  });
});
