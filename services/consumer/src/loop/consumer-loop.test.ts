import { afterEach, describe, expect, test } from "bun:test";
import { until } from "@ingest/testkit";
import { SeenEvents } from "../deduplication/seen-events.ts";
import { PermanentFailure, RetryLater } from "../handler.ts";
import { eventRecord, type FixtureOptions, partitions, record, startLoop } from "./loop-fixture.ts";

const running: ReturnType<typeof startLoop>["loop"][] = [];
function start(options: FixtureOptions) {
  const started = startLoop(options);
  running.push(started.loop);
  return started;
}
afterEach(async () => {
  for (const loop of running.splice(0)) await loop.stop(100);
});

describe("commits", () => {
  test("follow the handled events of each partition", async () => {
    const { loop, consumer } = start({ handler() {} });
    loop.onAssigned(partitions(0, 1));
    consumer.put(eventRecord(0, 5), eventRecord(1, 70), eventRecord(0, 6));
    await until("both committed", () => consumer.committedOffsets()[1] === 71);
    expect(consumer.committedOffsets()).toEqual({ 0: 7, 1: 71 });
  });

  test("don't pass an event in flight", async () => {
    const gate = Promise.withResolvers<void>();
    const { loop, consumer, counters } = start({
      concurrency: 4,
      handler: (event) => (event.event_id === "0-1" ? gate.promise : undefined),
    });
    loop.onAssigned(partitions(0));
    for (let offset = 0; offset < 4; offset++) consumer.put(eventRecord(0, offset, { key: `k${offset}` }));
    await until("the others handled", () => counters.handled === 3);
    await until("committed up to it", () => consumer.committedOffsets()[0] === 1);
    gate.resolve();
    await until("committed all", () => consumer.committedOffsets()[0] === 4);
  });

  // Fault: the start position counted as committed. A new group with auto.offset.reset=latest that crashed on its first
  // record started at a later end, and skipped that record.
  test("start with the start position, before anything is handled", async () => {
    const gate = Promise.withResolvers<void>();
    const { loop, consumer } = start({ handler: () => gate.promise });
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 70));
    await until("committed", () => consumer.committedOffsets()[0] === 70);
    gate.resolve();
    await until("committed on", () => consumer.committedOffsets()[0] === 71);
  });

  test("wait for the handler's flush, and don't advance while it fails", async () => {
    let failing = true;
    const { loop, consumer, counters } = start({
      handler() {},
      flush() {
        if (failing) throw new Error("disk full");
      },
    });
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0));
    await until("flushes failed", () => counters.flushFailures > 2);
    expect(consumer.commits).toEqual([]);
    failing = false;
    await until("committed", () => consumer.committedOffsets()[0] === 1);
  });

  // Fault: after a transaction's last record its marker stayed uncommitted: a lag of 1 for whoever looks from outside.
  test("pass offsets without a record at the partition's end, once everything before them is handled", async () => {
    const gate = Promise.withResolvers<void>();
    const { loop, consumer } = start({ handler: () => gate.promise });
    loop.onAssigned(partitions(0, 1));
    consumer.put(eventRecord(0, 5));
    consumer.end(0, 8);
    consumer.end(1, 3);
    await until("the start committed", () => consumer.committedOffsets()[0] === 5);
    await until("the empty one committed", () => consumer.committedOffsets()[1] === 3);
    gate.resolve();
    await until("committed", () => consumer.committedOffsets()[0] === 8);
    consumer.end(0, 6);
    consumer.put(eventRecord(0, 8));
    await until("committed on", () => consumer.committedOffsets()[0] === 9);
  });

  test("are retried after a failure", async () => {
    const { loop, consumer, counters } = start({ handler() {} });
    consumer.commitError = new Error("no coordinator");
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0));
    await until("a commit failed", () => counters.commitFailures > 0);
    consumer.commitError = undefined;
    await until("committed", () => consumer.committedOffsets()[0] === 1);
  });
});

describe("failures", () => {
  test("are retried in place: later events wait, and the partition is paused until then", async () => {
    const seen: string[] = [];
    let failures = 2;
    const { loop, consumer, counters, deadLetters } = start({
      maxTries: 0,
      handler(event, { tries }) {
        seen.push(`${event.event_id}/${tries}`);
        if (event.event_id === "0-1" && failures-- > 0) throw new Error("not now");
      },
    });
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0), eventRecord(0, 1), eventRecord(0, 2));
    await until("committed all", () => consumer.committedOffsets()[0] === 3);
    expect(seen).toEqual(["0-0/1", "0-1/1", "0-1/2", "0-1/3", "0-2/1"]);
    expect(deadLetters.stored).toEqual([]);
    expect(counters).toMatchObject({ failed: 2, retried: 2, handled: 3 });
    await until("resumed", () => consumer.paused.size === 0);
  });

  test("hold up only the failing partition", async () => {
    let isBroken = true;
    const { loop, consumer } = start({
      maxTries: 0,
      async handler(_event, { partition }) {
        if (partition === 0 && isBroken) throw new Error("not now");
      },
    });
    loop.onAssigned(partitions(0, 1));
    consumer.put(eventRecord(0, 0), eventRecord(0, 1));
    await until("paused", () => consumer.paused.has(0));
    consumer.put(eventRecord(0, 2), eventRecord(1, 0), eventRecord(1, 1));
    await until("the other continues", () => consumer.committedOffsets()[1] === 2);
    expect(consumer.committedOffsets()[0]).toBe(0);
    isBroken = false;
    await until("all of it", () => consumer.committedOffsets()[0] === 3);
  });

  test("end in a dead letter after the last try, and the offset advances", async () => {
    const { loop, consumer, deadLetters, counters } = start({
      maxTries: 3,
      async handler(event) {
        if (event.event_id === "0-0") throw new RangeError("too far");
      },
    });
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0), eventRecord(0, 1));
    await until("committed all", () => consumer.committedOffsets()[0] === 2);
    expect(deadLetters.stored.map(({ why }) => why)).toEqual([
      { reason: "handler_failed", cause: "RangeError: too far", tries: 3 },
    ]);
    expect(counters).toMatchObject({ failed: 3, retried: 2, handled: 1, deadLettered: 1 });
  });

  test("that name a time are retried no earlier", async () => {
    const tries: number[] = [];
    const { loop, consumer } = start({
      maxTries: 0,
      handler() {
        tries.push(performance.now());
        if (tries.length === 1) throw new RetryLater("busy", 200);
      },
    });
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0));
    await until("pausing", () => [...loop.tasks].some(({ isPausing }) => isPausing));
    await until("committed", () => consumer.committedOffsets()[0] === 1);
    // The clock of timers and that of measurements may differ by a millisecond.
    expect(tries[1]! - tries[0]!).toBeGreaterThan(198);
  });

  test("show no credentials of a URL in the dead letter", async () => {
    const { loop, consumer, deadLetters } = start({
      handler() {
        throw new PermanentFailure("http://user:pass@host/?token=abc is gone");
      },
    });
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0));
    await until("committed", () => consumer.committedOffsets()[0] === 1);
    expect(deadLetters.stored[0]?.why.cause).toBe("PermanentFailure: http://host/?token=… is gone");
  });

  test("that are permanent are not retried", async () => {
    const { loop, consumer, deadLetters } = start({
      handler() {
        throw new PermanentFailure("gone");
      },
    });
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0));
    await until("committed", () => consumer.committedOffsets()[0] === 1);
    expect(deadLetters.stored[0]?.why.tries).toBe(1);
  });

  test("a record that is not an event becomes a dead letter without a try and holds up nothing", async () => {
    const handled: string[] = [];
    const { loop, consumer, deadLetters, counters } = start({
      handler: (event) => void handled.push(event.event_id),
    });
    loop.onAssigned(partitions(0));
    consumer.put(
      record(0, 0, Buffer.from("{nonsense")),
      eventRecord(0, 1),
      record(0, 2, null),
      record(0, 3, Buffer.from([0xff, 0xfe])),
      record(0, 4, Buffer.from("[]")),
      record(0, 5, Buffer.from('{"event_type":"t"}')),
      eventRecord(0, 6),
    );
    await until("committed all", () => consumer.committedOffsets()[0] === 7);
    expect(handled).toEqual(["0-1", "0-6"]);
    expect(deadLetters.stored.map(({ record: { offset } }) => offset)).toEqual([0, 2, 3, 4, 5]);
    expect(deadLetters.stored.every(({ why }) => why.reason === "not_an_event" && why.tries === 0)).toBe(
      true,
    );
    expect(counters.notAnEvent).toBe(5);
  });

  test("a dead letter that isn't stored doesn't advance the offset", async () => {
    const { loop, consumer, deadLetters, counters } = start({ handler() {} });
    deadLetters.outcome = "abandoned";
    loop.onAssigned(partitions(0));
    consumer.put(record(0, 0, null), eventRecord(0, 1));
    await until("the rest handled", () => counters.handled === 1);
    await loop.onRevoked(partitions(0));
    expect(consumer.committedOffsets()).toEqual({ 0: 0 });
  });
});

describe("a partition that is revoked or lost", () => {
  test("is finished and committed before it is released", async () => {
    const gate = Promise.withResolvers<void>();
    const handled: string[] = [];
    const { loop, consumer, counters } = start({
      async handler(event) {
        if (event.event_id === "0-0") await gate.promise;
        handled.push(event.event_id);
      },
    });
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0), eventRecord(0, 1));
    await until("in flight", () => counters.fetched === 2);
    const revoked = loop.onRevoked(partitions(0));
    gate.resolve();
    await revoked;
    // The one that ran ended; the one that waited is the next owner's.
    expect(handled).toEqual(["0-0"]);
    expect(consumer.committedOffsets()).toEqual({ 0: 1 });
    expect([...loop.tasks]).toEqual([]);
  });

  test("is fenced when that takes too long: events finished later don't advance its offset", async () => {
    const gate = Promise.withResolvers<void>();
    let signal: AbortSignal | undefined;
    const { loop, consumer, counters } = start({
      rebalanceBudgetMs: 10,
      async handler(event, context) {
        signal = context.signal;
        if (event.event_id === "0-1") await gate.promise;
      },
    });
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0), eventRecord(0, 1));
    await until("the first handled", () => counters.handled === 1);
    await loop.onRevoked(partitions(0));
    expect(signal?.aborted).toBe(true);
    const committed = [...consumer.commits];
    expect(consumer.committedOffsets()).toEqual({ 0: 1 });
    gate.resolve();
    await until("abandoned", () => counters.abandoned === 1);
    expect(consumer.commits).toEqual(committed);
    expect(counters.handled).toBe(1);
  });

  test("ends the wait between tries", async () => {
    const { loop, consumer, counters } = start({
      maxTries: 0,
      handler() {
        throw new Error("never");
      },
    });
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0));
    await until("failing", () => counters.failed > 1);
    await loop.onRevoked(partitions(0));
    expect(counters.abandoned).toBe(1);
    expect(consumer.committedOffsets()).toEqual({ 0: 0 });
    expect(consumer.paused.size).toBe(0);
  });

  test.each(["lost", "revoked"] as const)(
    "skips nothing when it is reassigned during a slow flush (%s)",
    async (how) => {
      const handled: number[] = [];
      const { promise: released, resolve: release } = Promise.withResolvers<void>();
      let isStuck = true;
      const { loop, consumer } = start({
        rebalanceBudgetMs: 20,
        handler: (_, { offset }) => {
          if (offset === 2 && isStuck) return new Promise(() => {});
          handled.push(offset);
          return undefined;
        },
        flush: () => (isStuck ? released : undefined),
      });
      const records = (from: number, to: number) =>
        Array.from({ length: to - from }, (_, i) => eventRecord(0, from + i));
      loop.onAssigned(partitions(0));
      consumer.put(...records(0, 5));
      await until("stuck at 2", () => handled.length === 2);
      // These are fetched before the partition is gone.
      consumer.put(...records(5, 20));
      await until("fetched", () => consumer.isEmpty);
      if (how === "lost") loop.onLost(partitions(0));
      else await loop.onRevoked(partitions(0));
      handled.length = 0;
      loop.onAssigned(partitions(0));
      isStuck = false;
      release();
      // Nothing was committed, so the new assignment reads from the start.
      consumer.put(...records(0, 25));
      await until("all committed", () => consumer.committedOffsets()[0] === 25);
      expect(handled.filter((offset, i) => handled.indexOf(offset) === i)).toEqual([...Array(25).keys()]);
    },
  );

  test("starts at the group's offset when it is reassigned", async () => {
    const handled: string[] = [];
    const { loop, consumer } = start({ handler: (event) => void handled.push(event.event_id) });
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0), eventRecord(0, 1));
    await until("committed", () => consumer.committedOffsets()[0] === 2);
    loop.onLost(partitions(0));
    consumer.put(eventRecord(0, 2)); // not assigned now
    await until("taken", () => consumer.isEmpty);
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 1), eventRecord(0, 2));
    await until("committed", () => consumer.committedOffsets()[0] === 3);
    expect(handled).toEqual(["0-0", "0-1", "0-1", "0-2"]);
  });

  test("is not committed any more when it is lost", async () => {
    const gate = Promise.withResolvers<void>();
    const { loop, consumer, counters } = start({ handler: () => gate.promise });
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0));
    await until("in flight", () => counters.fetched === 1);
    loop.onLost(partitions(0));
    gate.resolve();
    await until("abandoned", () => counters.abandoned === 1);
    await loop.stop(100);
    expect(consumer.committedOffsets()[0] ?? 0).toBe(0);
  });
});

describe("log truncation", () => {
  // Fault: records at offsets that had been accepted before were dropped silently. After an unclean leader election the log
  // ends below the consumer's position, and the records then written there were skipped.
  test("records at offsets read before are handled, and their offsets committed", async () => {
    const handled: string[] = [];
    const { loop, consumer, counters } = start({ handler: (event) => void handled.push(event.event_id) });
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 8), eventRecord(0, 9));
    await until("committed", () => consumer.committedOffsets()[0] === 10);
    consumer.put(eventRecord(0, 6, { id: "new-6" }), eventRecord(0, 7, { id: "new-7" }));
    await until("committed again", () => consumer.committedOffsets()[0] === 8);
    consumer.put(eventRecord(0, 8, { id: "new-8" }));
    await until("continued", () => consumer.committedOffsets()[0] === 9);
    expect(handled).toEqual(["0-8", "0-9", "new-6", "new-7", "new-8"]);
    expect(counters.logTruncations).toBe(1);
  });

  test("events in flight no longer advance the offset, and a pause ends", async () => {
    const gate = Promise.withResolvers<void>();
    const { loop, consumer, counters } = start({
      limits: { records: 1, bytes: 1e9 },
      handler: (event) => (event.event_id.startsWith("new") ? undefined : gate.promise),
    });
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 8), eventRecord(0, 9));
    await until("paused", () => consumer.paused.has(0));
    consumer.paused.clear(); // the client may have fetched more before the pause
    consumer.put(eventRecord(0, 5, { id: "new" }));
    await until("committed again", () => consumer.committedOffsets()[0] === 6);
    gate.resolve();
    await until("abandoned", () => counters.abandoned === 1);
    await until("resumed", () => !consumer.paused.has(0));
    expect(consumer.committedOffsets()[0]).toBe(6);
  });
});

describe("a recreated topic", () => {
  const first = { topicId: "AAAAAAAAAAAAAAAAAAAAAA", partitions: 1 };
  const second = { topicId: "BBBBBBBBBBBBBBBBBBBBBB", partitions: 1 };

  test("is read from its beginning, and what was in flight commits nothing", async () => {
    const gate = Promise.withResolvers<void>();
    const handled: string[] = [];
    const { loop, consumer, topic } = start({
      async handler({ event_id }) {
        if (event_id === "slow") await gate.promise;
        handled.push(event_id);
      },
    });
    topic.current = first;
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 5), eventRecord(0, 6, { id: "slow" }));
    await until("committed", () => consumer.committedOffsets()[0] === 6);
    expect(consumer.commits.at(-1)?.metadata).toBe(`topic-id=${first.topicId} partitions=1`);

    topic.current = second;
    consumer.seekError = new Error("not now");
    loop.onTopicRecreated(second);
    consumer.put(eventRecord(0, 7, { id: "of the old topic" }));
    await until("fetched", () => consumer.isEmpty);
    consumer.seekError = undefined;
    await until("the client moved", () => consumer.seeks.length > 0);
    expect(consumer.seeks).toEqual([{ topic: "events", partition: 0, offset: 0 }]);
    await until("the start committed", () => consumer.committedOffsets()[0] === 0);
    gate.resolve();
    consumer.put(eventRecord(0, 0, { id: "new" }));
    await until("committed on", () => consumer.committedOffsets()[0] === 1);
    expect(consumer.commits.at(-1)?.metadata).toBe(`topic-id=${second.topicId} partitions=1`);
    expect(handled).toEqual(["0-5", "slow", "new"]);
  });

  test("changes nothing for partitions that were assigned since", async () => {
    const { loop, consumer, topic } = start({ handler() {} });
    topic.current = second;
    loop.onAssigned(partitions(0));
    loop.onTopicRecreated(second);
    consumer.put(eventRecord(0, 3));
    await until("committed", () => consumer.committedOffsets()[0] === 4);
    expect(consumer.seeks).toEqual([]);
  });
});

test("a start offset that was chosen here is committed before any record arrives", async () => {
  const { loop, consumer } = start({ handler() {} });
  loop.onAssigned([{ topic: "events", partition: 0, offset: 70 }]);
  await until("committed", () => consumer.committedOffsets()[0] === 70);
});

describe("buffers", () => {
  test("are bounded: a slow partition is paused, and nothing is skipped or reordered", async () => {
    const handled: number[] = [];
    let mostInFlight = 0;
    const { loop, consumer } = start({
      limits: { records: 50, bytes: 1e9 },
      async handler(_event, { offset }) {
        await new Promise(setImmediate);
        handled.push(offset);
        for (const task of loop.tasks) mostInFlight = Math.max(mostInFlight, task.inFlight);
      },
    });
    loop.onAssigned(partitions(0));
    for (let offset = 0; offset < 1_000; offset++) consumer.put(eventRecord(0, offset));
    await until("committed all", () => consumer.committedOffsets()[0] === 1_000, 15_000);
    expect(handled).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
    expect(consumer.everPaused).toBe(true);
    // The limit, the batch that exceeded it, and the one being fetched.
    expect(mostInFlight).toBeLessThanOrEqual(50 + 2 * 100);
  });

  test("count bytes too", async () => {
    const gate = Promise.withResolvers<void>();
    const { loop, consumer } = start({
      limits: { records: 1_000, bytes: 10 },
      handler: () => gate.promise,
    });
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0));
    await until("paused", () => consumer.paused.has(0));
    gate.resolve();
    await until("resumed", () => !consumer.paused.has(0));
  });

  // Fault: the limit in bytes applied to each partition, so memory grew with their number.
  test("share the bytes among the partitions", async () => {
    const gate = Promise.withResolvers<void>();
    const size = eventRecord(0, 0).value!.length;
    const { loop, consumer, counters } = start({
      limits: { records: 1_000, bytes: 8 * size },
      handler: () => gate.promise,
    });
    loop.onAssigned(partitions(0, 1, 2, 3));
    consumer.put(eventRecord(0, 0), eventRecord(0, 1), eventRecord(0, 2), eventRecord(1, 0));
    await until("accepted", () => counters.fetched === 4);
    await until("paused", () => consumer.paused.has(0));
    expect([...consumer.paused]).toEqual([0]);
    gate.resolve();
    await until("resumed", () => !consumer.paused.has(0));
  });

  // Fault: records were decoded when they were accepted, and took several times their size while they waited.
  test("hold records undecoded until their turn", async () => {
    const gate = Promise.withResolvers<void>();
    const { loop, consumer, deadLetters, counters } = start({ handler: () => gate.promise });
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0), record(0, 1, Buffer.from("no event")));
    await until("accepted", () => counters.fetched === 2);
    expect(counters.notAnEvent).toBe(0);
    gate.resolve();
    await until("committed", () => consumer.committedOffsets()[0] === 2);
    expect(deadLetters.stored).toHaveLength(1);
  });

  test("count events that the handler has not flushed", async () => {
    const gate = Promise.withResolvers<void>();
    const { loop, consumer } = start({
      limits: { records: 2, bytes: 1e9 },
      handler() {},
      flush: () => gate.promise,
    });
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0), eventRecord(0, 1), eventRecord(0, 2));
    await until("paused", () => consumer.paused.has(0));
    gate.resolve();
    await until("resumed", () => !consumer.paused.has(0));
  });
});

describe("one stuck record", () => {
  // Fault: only records in flight counted. After a record that could be neither handled nor dead-lettered, all others were
  // handled and none committed: memory grew without bound, and each restart repeated everything.
  test.each([1, 4])("pauses its partition at the limit, with a concurrency of %p", async (concurrency) => {
    const { loop, consumer, deadLetters, counters } = start({
      concurrency,
      limits: { records: 50, bytes: 1e9 },
      handler() {},
    });
    const delivery = Promise.withResolvers<void>();
    deadLetters.delivery = delivery.promise;
    loop.onAssigned(partitions(0));
    consumer.put(record(0, 0, null));
    for (let offset = 1; offset < 1_000; offset++) consumer.put(eventRecord(0, offset));
    await until("paused", () => consumer.paused.has(0));
    const fetched = counters.fetched;
    // The limit, the batch that exceeded it, and the one being fetched.
    expect(fetched).toBeLessThanOrEqual(50 + 2 * 100);
    delivery.resolve();
    await until("all of it", () => consumer.committedOffsets()[0] === 1_000);
  });
});

describe("stop", () => {
  test("finishes and commits events in flight, and accepts no more", async () => {
    const gate = Promise.withResolvers<void>();
    const handled: string[] = [];
    const { loop, consumer, counters } = start({
      async handler(event) {
        await gate.promise;
        handled.push(event.event_id);
      },
    });
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0), eventRecord(0, 1));
    await until("in flight", () => counters.fetched === 2);
    const stopping = loop.stop(60_000);
    consumer.put(eventRecord(0, 2));
    gate.resolve();
    await stopping;
    expect(consumer.committedOffsets()[0]).toBe(1);
    expect(handled).toEqual(["0-0"]);
  });
});

describe("deduplication", () => {
  function startDeduplicating(options: Omit<FixtureOptions, "seen"> & { windowOffsets?: number }) {
    const seen = new SeenEvents({
      path: ":memory:",
      groupId: "g",
      windowOffsets: options.windowOffsets ?? 1_000,
    });
    return { seen, ...start({ ...options, seen }) };
  }

  test("handles three concurrent copies once", async () => {
    const gate = Promise.withResolvers<void>();
    const handled: number[] = [];
    const { loop, consumer, counters } = startDeduplicating({
      concurrency: 4,
      async handler(_event, { offset }) {
        await gate.promise;
        handled.push(offset);
      },
    });
    loop.onAssigned(partitions(0));
    for (let offset = 0; offset < 3; offset++)
      consumer.put(eventRecord(0, offset, { id: "same", key: `k${offset}` }));
    await until("duplicates skipped", () => counters.duplicates === 2);
    gate.resolve();
    await until("committed", () => consumer.committedOffsets()[0] === 3);
    consumer.put(eventRecord(0, 3, { id: "same" }), eventRecord(0, 4));
    await until("committed", () => consumer.committedOffsets()[0] === 5);
    expect(handled).toEqual([0, 4]);
    expect(counters.duplicates).toBe(3);
  });

  test("skips a record that is read again after a rebalance", async () => {
    const handled: number[] = [];
    const { loop, consumer } = startDeduplicating({
      handler: (_event, { offset }) => void handled.push(offset),
    });
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0), eventRecord(0, 1));
    await until("committed", () => consumer.committedOffsets()[0] === 2);
    loop.onLost(partitions(0));
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 1), eventRecord(0, 2));
    await until("committed", () => consumer.committedOffsets()[0] === 3);
    expect(handled).toEqual([0, 1, 2]);
  });

  test("doesn't count dead letters as handled", async () => {
    let isBroken = true;
    const handled: number[] = [];
    const { loop, consumer, counters, deadLetters } = startDeduplicating({
      maxTries: 2,
      handler(event, { offset }) {
        if (event.event_id === "x" && isBroken) throw new Error("not now");
        handled.push(offset);
      },
    });
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0, { id: "x" }));
    await until("a dead letter", () => deadLetters.stored.length === 1);
    isBroken = false;
    consumer.put(eventRecord(0, 1, { id: "x" }));
    await until("handled", () => counters.handled === 1);
    expect(handled).toEqual([1]);
  });

  // Fault: a handler whose partition was lost kept its claim. The record, read again, was skipped as a duplicate and
  // committed; then the handler failed, and the event was never handled.
  test("a record read again waits for its old handler, and is handled when that fails", async () => {
    const gate = Promise.withResolvers<void>();
    const handled: string[] = [];
    let calls = 0;
    const { loop, consumer, counters } = startDeduplicating({
      async handler({ event_id }) {
        if (calls++ === 0) await gate.promise;
        handled.push(event_id);
      },
    });
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0));
    await until("in flight", () => calls === 1);
    loop.onLost(partitions(0));
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0), eventRecord(0, 1));
    await until("accepted again", () => counters.fetched === 3);
    expect(calls).toBe(1);
    expect(consumer.committedOffsets()[0] ?? 0).toBe(0);
    gate.reject(new Error("aborted"));
    await until("committed", () => consumer.committedOffsets()[0] === 2);
    expect(handled).toEqual(["0-0", "0-1"]);
    expect(counters.duplicates).toBe(0);
  });

  // Fault: events handled after their partition was revoked were not remembered, and were handled a second time.
  test("a record read again is skipped when its old handler succeeds", async () => {
    const gate = Promise.withResolvers<void>();
    let calls = 0;
    const { loop, consumer, counters, seen } = startDeduplicating({
      handler() {
        calls++;
        return gate.promise;
      },
    });
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0));
    await until("in flight", () => calls === 1);
    loop.onLost(partitions(0));
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0));
    await until("accepted again", () => counters.fetched === 2);
    gate.resolve();
    await until("committed", () => consumer.committedOffsets()[0] === 1);
    expect(calls).toBe(1);
    expect(counters).toMatchObject({ duplicates: 1, abandoned: 1 });
    expect(seen.size()).toBe(1);
  });

  test("a record is handled when read again, if its partition was lost during the write of its dead letter", async () => {
    const delivery = Promise.withResolvers<void>();
    const handled: number[] = [];
    let isBroken = true;
    const { loop, consumer, counters, deadLetters } = startDeduplicating({
      maxTries: 1,
      handler(_event, { offset }) {
        if (isBroken) throw new Error("not now");
        handled.push(offset);
      },
    });
    deadLetters.delivery = delivery.promise;
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0));
    await until("failed", () => counters.failed === 1);
    loop.onLost(partitions(0));
    isBroken = false;
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0));
    await until("accepted again", () => counters.fetched === 2);
    delivery.resolve();
    await until("committed", () => consumer.committedOffsets()[0] === 1);
    expect(handled).toEqual([0]);
  });

  test("a wait for an old handler ends when the partition is revoked", async () => {
    const { loop, consumer, counters } = startDeduplicating({ handler: () => new Promise(() => {}) });
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0));
    await until("in flight", () => counters.fetched === 1);
    loop.onLost(partitions(0));
    loop.onAssigned(partitions(0));
    consumer.put(eventRecord(0, 0));
    await until("accepted again", () => counters.fetched === 2);
    await loop.onRevoked(partitions(0));
    expect(counters.abandoned).toBe(1);
  });
});
