import { describe, expect, test } from "bun:test";
import { createLog } from "@ingest/service";
import { Counters } from "../counters.ts";
import { eventRecord, partitions } from "./loop-fixture.ts";
import { PartitionWork } from "./partition-work.ts";
import { Settling } from "./settling.ts";

const options = {
  seen: undefined,
  backoff: { firstMs: 1, maxMs: 1 },
  counters: new Counters(),
  log: createLog("test", { LOG_LEVEL: "silent", LOG_FORMAT: "json" }),
};

/** A partition with one record handled. */
function handled(partition: number): PartitionWork {
  const work = new PartitionWork(partitions(partition)[0]!, 1, () => undefined);
  work.accept(eventRecord(partition, 0));
  work.finish(eventRecord(partition, 0));
  return work;
}

describe("Settling", () => {
  // Fault: while a flush was stuck each turn of the loop put one more behind it, all to be carried out one by one.
  test("whoever comes while one is under way shares the next", async () => {
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
    const settling = new Settling({ ...options, handler });
    const [first, second, third] = [handled(0), handled(1), handled(2)];
    const settled = [settling.settle([first!])];
    await Promise.resolve();
    expect(flushes).toBe(1);
    for (let i = 0; i < 10; i++) settled.push(settling.settle([first!, second!]), settling.settle([third!]));
    expect(second!.settled).toBe(-1);
    gate.resolve();
    await Promise.all(settled);
    expect(flushes).toBe(2);
    expect([first, second, third].map((work) => work!.settled)).toEqual([1, 1, 1]);
  });

  // Fault: with a handler that has no flush nobody waited for the log's lines, which piled up where none were read.
  test("waits for the lines, whatever the handler", async () => {
    const gate = Promise.withResolvers<void>();
    const settling = new Settling({
      ...options,
      handler: { name: "test", handle() {} },
      output: { flush: () => gate.promise },
    });
    const work = handled(0);
    const settled = settling.settle([work]);
    await new Promise(setImmediate);
    expect(work.settled).toBe(-1);
    gate.resolve();
    await settled;
    expect(work.settled).toBe(1);
  });
});
