import { describe, expect, spyOn, test } from "bun:test";
import { mkdirSync, renameSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { Random, type TemporaryFolder, temporaryFolder, until } from "@ingest/testkit";
import { JournalledDelivery } from "./delivery.ts";
import { workerFolder } from "./journal/folder.ts";
import type { JournalOptions } from "./journal/journal.ts";
import { Segment } from "./journal/segment.ts";
import { RejectedEvents } from "./rejected-events.ts";
import { FakeKafka } from "./testing/fake-kafka.ts";
import { event, openJournal, quietLog } from "./testing/journal.ts";

const STALL_MS = 50;

interface Harness {
  kafka: FakeKafka;
  delivery: JournalledDelivery;
  folder: string;
  rejectedPath: string;
}

async function start(
  home: TemporaryFolder,
  options: {
    kafka?: FakeKafka;
    isJournalled?: boolean;
    journal?: Partial<JournalOptions>;
    stallMs?: number;
    durableDeadlineMs?: number;
    maxRejectedBytes?: number;
    now?: () => number;
  } = {},
): Promise<Harness> {
  const kafka = options.kafka ?? new FakeKafka();
  const rejectedPath = join(home.path, "rejected.ndjson");
  const delivery = new JournalledDelivery({
    createSink: kafka.createSink,
    stallMs: options.stallMs ?? STALL_MS,
    durableDeadlineMs: options.durableDeadlineMs ?? 10_000,
    tickMs: 5,
    log: quietLog,
    ...(options.now ? { now: options.now } : {}),
    ...(options.isJournalled === false
      ? {}
      : {
          openJournal: () => openJournal(home.path, options.journal),
          rejected: new RejectedEvents({
            path: rejectedPath,
            topic: "events",
            maxBytes: options.maxRejectedBytes ?? 2 ** 30,
            log: quietLog,
            retryMs: 5,
          }),
        }),
  });
  await delivery.start();
  return { kafka, delivery, folder: workerFolder(home.path, 0), rejectedPath };
}

/** Lets the brokers accept everything until delivery has nothing left to send. */
async function drain({ kafka, delivery }: Harness): Promise<void> {
  await until("all to be delivered", () => {
    kafka.deliverAll();
    const { inFlight, spooling, journal } = delivery.state();
    return inFlight === 0 && !spooling && (journal?.records ?? 0) === 0;
  });
}

const values = (kafka: FakeKafka, key = "k") => kafka.firstByKey().get(key) ?? [];
const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `v${from + i}`);

describe("accepted", () => {
  test("goes straight to the client and not to the journal", async () => {
    using home = temporaryFolder();
    const harness = await start(home);
    for (const value of numbered(0, 10))
      expect(harness.delivery.accept(event(value))).toEqual({ status: "accepted" });
    expect(harness.delivery.state()).toMatchObject({
      inFlight: 10,
      spooling: false,
      journal: { records: 0 },
    });
    await drain(harness);
    expect(values(harness.kafka)).toEqual(numbered(0, 10));
    expect(harness.delivery.state().counts.delivered).toBe(10);
    await harness.delivery.stop(1_000);
  });

  test("goes to the journal while the client's queue is full, and arrives in order", async () => {
    using home = temporaryFolder();
    const harness = await start(home, { stallMs: 10_000 });
    harness.kafka.queueSize = 10;
    for (const value of numbered(0, 100))
      expect(harness.delivery.accept(event(value)).status).toBe("accepted");
    expect(harness.delivery.state()).toMatchObject({ ready: true, spooling: true, journal: { records: 90 } });
    await drain(harness);
    expect(values(harness.kafka)).toEqual(numbered(0, 100));
    expect(harness.delivery.state().counts).toMatchObject({ spooled: 90, replayed: 90, clientRestarts: 0 });
    expect(harness.delivery.accept(event("direct again")).status).toBe("accepted");
    expect(harness.delivery.state().inFlight).toBe(1);
    await harness.delivery.stop(1_000);
  });

  test("is refused when the journal is full too, and taken again when it has room", async () => {
    using home = temporaryFolder();
    const harness = await start(home, { journal: { maxBytes: 10_000 }, stallMs: 10_000 });
    harness.kafka.queueSize = 1;
    let taken = 0;
    while (harness.delivery.accept(event(`v${taken}`)).status === "accepted") taken++;
    const refusal = { status: "refused", code: "journal_full", retryAfterSeconds: 5 } as const;
    expect(harness.delivery.accept(event("x"))).toMatchObject(refusal);
    expect(harness.delivery.refuse()).toMatchObject(refusal);
    expect(harness.delivery.state()).toMatchObject({ ready: false, refusal: "journal_full" });
    await drain(harness);
    expect(values(harness.kafka)).toEqual(numbered(0, taken));
    expect(harness.delivery.accept(event("y")).status).toBe("accepted");
    expect(harness.delivery.refuse()).toBeUndefined();
    await harness.delivery.stop(1_000);
  });

  test("rejected by Kafka for good is quarantined and counted", async () => {
    using home = temporaryFolder();
    const harness = await start(home);
    for (const value of ["a", "refused", "b"]) harness.delivery.accept(event(value));
    await drain(harness);
    expect(values(harness.kafka)).toEqual(["a", "b"]);
    const { rejected, lost, failed } = harness.delivery.state().counts;
    expect([rejected, lost]).toEqual([1, 0]);
    expect(failed.invalid_record).toBeGreaterThan(0);
    await harness.delivery.stop(1_000);
    const line = JSON.parse(await Bun.file(harness.rejectedPath).text());
    expect([line.key, line.code, atob(line.value)]).toEqual(["k", "invalid_record", "refused"]);
  });

  // The journal record was acknowledged before the line was written: a full disk or a kill in between lost the event.
  test.each(["accept", "durable"] as const)(
    "(%s) rejected by Kafka for good stays in the journal until its line is on disk",
    async (how) => {
      using home = temporaryFolder();
      const first = await start(home);
      mkdirSync(first.rejectedPath);
      const answer = first.delivery[how](event("refused"));
      first.kafka.deliverAll();
      await answer;
      expect(first.delivery.state().counts).toMatchObject({ rejected: 0, lost: 0 });
      expect(await first.delivery.stop(1_000)).toEqual({ journalled: 1, lost: 0 });

      const second = await start(home);
      second.delivery.accept(event("b"));
      await until("the good one to arrive", () => {
        second.kafka.deliverAll();
        return values(second.kafka).length === 1 && second.delivery.state().inFlight === 0;
      });
      expect(second.delivery.state().journal!.records).toBe(1);
      rmdirSync(second.rejectedPath);
      await drain(second);
      expect(second.delivery.state().counts.rejected).toBe(1);
      await second.delivery.stop(1_000);
      expect(atob(JSON.parse(await Bun.file(second.rejectedPath).text()).value)).toBe("refused");
    },
  );

  test("more rejected events than memory may hold: the rest stays in the journal, and other events go on", async () => {
    using home = temporaryFolder();
    const harness = await start(home, {
      journal: { maxBytes: 2 ** 26 },
      maxRejectedBytes: 10,
      stallMs: 10_000,
    });
    const large = "x".repeat(100_000);
    const refused = Array.from({ length: 30 }, (_, i) => `refused ${i} ${large}`);
    for (const value of refused) harness.delivery.accept(event(value));
    await until("spooling", () => {
      harness.kafka.deliverAll();
      return harness.delivery.state().spooling;
    });
    for (const value of numbered(0, 5)) harness.delivery.accept(event(value));
    // The first one fills the file.
    await until("the good ones to arrive", () => {
      harness.kafka.deliverAll();
      return values(harness.kafka).length === 5 && harness.delivery.state().journal!.records === 29;
    });
    expect(await harness.delivery.stop(1_000)).toEqual({ journalled: 29, lost: 0 });

    const next = await start(home, { journal: { maxBytes: 2 ** 26 } });
    await drain(next);
    await next.delivery.stop(1_000);
    const lines = (await Bun.file(next.rejectedPath).text()).trim().split("\n");
    const found = new Set(lines.map((line) => atob(JSON.parse(line).value)));
    expect([...found].sort()).toEqual(refused.sort());
  });

  // Replay rewound only when no event was waiting and none was in flight.
  test("events skipped in the journal are quarantined under a steady load too", async () => {
    using home = temporaryFolder();
    const harness = await start(home, { stallMs: 10_000, journal: { maxBytes: 2 ** 26 } });
    for (let i = 0; i < 3; i++) harness.delivery.accept(event(`refused ${i} ${"x".repeat(900_000)}`));
    await until("spooling", () => {
      harness.kafka.deliverAll();
      return harness.delivery.state().spooling;
    });
    let sent = 0;
    await until("the end of the spool", () => {
      // There is always one more before the last has been delivered.
      harness.delivery.accept(event(`steady ${sent++}`));
      const { sinks, log } = harness.kafka;
      for (const sink of sinks) for (const partition of log.keys()) sink.deliver(partition, 1);
      const { spooling, counts } = harness.delivery.state();
      return !spooling && counts.rejected === 3;
    });
    await drain(harness);
    await harness.delivery.stop(1_000);
    const lines = (await Bun.file(harness.rejectedPath).text()).trim().split("\n");
    expect(lines).toHaveLength(3);
    expect(values(harness.kafka)).toEqual(Array.from({ length: sent }, (_, n) => `steady ${n}`));
  });

  test("too large for Kafka is refused at once", async () => {
    using home = temporaryFolder();
    const { delivery } = await start(home);
    expect(delivery.accept(event("too large"))).toMatchObject({ status: "refused", code: "too_large" });
    expect(await delivery.durable(event("too large"))).toMatchObject({
      status: "refused",
      code: "too_large",
    });
    expect(await delivery.stored(event("too large"), 1_000)).toMatchObject({
      status: "refused",
      code: "too_large",
    });
    expect(delivery.state()).toMatchObject({ inFlight: 0, journal: { records: 0 } });
    await delivery.stop(1_000);
  });
});

describe("durable", () => {
  test("resolves once it is on disk, and is sent without waiting for that", async () => {
    using home = temporaryFolder();
    const harness = await start(home, { stallMs: 10_000 });
    const answers = numbered(0, 5).map((value) => harness.delivery.durable(event(value)));
    expect(harness.delivery.state().inFlight).toBe(5);
    expect(await Promise.all(answers)).toEqual(Array(5).fill({ status: "durable" }));
    expect(harness.delivery.state().journal!.records).toBe(5);
    await drain(harness);
    await harness.delivery.stop(1_000);
  });

  test("is refused without a journal", async () => {
    using home = temporaryFolder();
    const { delivery } = await start(home, { isJournalled: false });
    expect(await delivery.durable(event("a"))).toMatchObject({
      status: "refused",
      code: "journal_unavailable",
    });
    await delivery.stop(1_000);
  });

  test("is refused while the disk can't be written; accepted goes on", async () => {
    using home = temporaryFolder();
    const harness = await start(home);
    renameSync(harness.folder, `${harness.folder}-away`);
    // The first one detects it, when it is in flight to Kafka already: it can't be refused any more.
    expect(await harness.delivery.durable(event("a"))).toEqual({ status: "unknown" });
    expect(await harness.delivery.durable(event("b"))).toMatchObject({ code: "journal_unavailable" });
    expect(harness.delivery.accept(event("c"))).toEqual({ status: "accepted" });
    expect(harness.delivery.state()).toMatchObject({
      ready: false,
      refusal: "journal_unavailable",
      journal: { failure: "folder_replaced" },
    });
    renameSync(`${harness.folder}-away`, harness.folder);
    await until("the disk", () => harness.delivery.state().journal!.isWritable);
    expect(await harness.delivery.durable(event("d"))).toEqual({ status: "durable" });
    await drain(harness);
    expect(values(harness.kafka)).toEqual(["a", "c", "d"]);
    await harness.delivery.stop(1_000);
  });
});

describe("a disk whose fsync hangs", () => {
  /** Until `release`, fsyncs of the journal don't return. */
  function hang() {
    const { promise, resolve } = Promise.withResolvers<void>();
    const sync = spyOn(Segment.prototype, "sync").mockImplementation(() => promise);
    const release = () => {
      sync.mockRestore();
      resolve();
    };
    return { release, [Symbol.dispose]: release };
  }

  // Callers waited as long as the fsync hung, and more requests were taken until their limit was reached.
  test("durable settles by its deadline", async () => {
    using home = temporaryFolder();
    using disk = hang();
    const harness = await start(home, { durableDeadlineMs: 20 });
    expect(await harness.delivery.durable(event("a"))).toEqual({ status: "unknown" });
    disk.release();
    await drain(harness);
    expect(values(harness.kafka)).toEqual(["a"]);
    await harness.delivery.stop(1_000);
  });

  test("durable is refused meanwhile, accepted goes on, and afterwards durable is taken again", async () => {
    using home = temporaryFolder();
    using disk = hang();
    const { delivery, ...harness } = await start(home, { journal: { stuckSyncMs: 20 }, stallMs: 10_000 });
    const first = delivery.durable(event("a"));
    await until("the disk to count as failed", () => !delivery.state().journal!.isWritable);
    expect(await delivery.durable(event("b"))).toMatchObject({ code: "journal_unavailable" });
    expect(delivery.accept(event("c"))).toEqual({ status: "accepted" });
    disk.release();
    expect(await first).toEqual({ status: "durable" });
    await until("the disk to be well", () => delivery.state().journal!.isWritable);
    expect(await delivery.durable(event("d"))).toEqual({ status: "durable" });
    await drain({ delivery, ...harness });
    await delivery.stop(1_000);
  });
});

describe("stored", () => {
  test("applies a topic's limits to that topic's events alone, whatever the durability", async () => {
    using home = temporaryFolder();
    const { kafka, delivery } = await start(home);
    delivery.setTopicLimits({ isCompacted: true, maxBatchBytes: 1e6 }, "orders");
    const unkeyed = { ...event("v1"), key: null };
    const routed = { ...unkeyed, topic: "orders" };
    const refused = { status: "refused", code: "key_required" };
    expect(delivery.accept(routed)).toMatchObject(refused);
    expect(await delivery.durable(routed)).toMatchObject(refused);
    expect(await delivery.stored(routed, 10_000)).toMatchObject(refused);
    expect(delivery.accept(unkeyed)).toEqual({ status: "accepted" });
    kafka.deliverAll();
    await delivery.stop(1_000);
  });

  test("resolves with topic, partition and offset", async () => {
    using home = temporaryFolder();
    const harness = await start(home);
    harness.delivery.accept(event("before"));
    const answer = harness.delivery.stored(event("a"), 10_000);
    harness.kafka.deliverAll();
    const partition = harness.kafka.partitionOf("k");
    expect(await answer).toEqual({ status: "stored", topic: "events", partition, offset: 1 });
    await harness.delivery.stop(1_000);
  });

  test("is unknown past its deadline, and settles once", async () => {
    using home = temporaryFolder();
    const harness = await start(home, { stallMs: 10_000 });
    expect(await harness.delivery.stored(event("a"), 5)).toEqual({ status: "unknown" });
    await drain(harness);
    expect(values(harness.kafka)).toEqual(["a"]);
    await harness.delivery.stop(1_000);
  });

  test("is not kept for later once it is settled", async () => {
    using home = temporaryFolder();
    const harness = await start(home);
    const answer = harness.delivery.stored(event("a"), 10_000);
    harness.delivery.accept(event("b"));
    harness.kafka.sinks[0]!.fail(harness.kafka.partitionOf("k"), "timed_out", false);
    expect(await answer).toEqual({ status: "unknown" });
    await drain(harness);
    expect(values(harness.kafka)).toEqual(["b"]);
    await harness.delivery.stop(1_000);
  });

  test("is refused while older events wait in the journal", async () => {
    using home = temporaryFolder();
    const harness = await start(home);
    harness.kafka.queueSize = 1;
    for (const value of numbered(0, 5)) harness.delivery.accept(event(value));
    expect(await harness.delivery.stored(event("a"), 1_000)).toMatchObject({
      status: "refused",
      code: "events_waiting",
      detail:
        "Older events are still being sent to Kafka: send it again after Retry-After, or with another durability.",
    });
    await drain(harness);
    await harness.delivery.stop(1_000);
  });
});

describe("a refused batch", () => {
  // Fault: what was handed over between a refusal and its outcomes failed first, as the fault of the client. Without a journal
  // it was lost, and with one every stored event in flight became unknown.
  test.each([true, false])(
    "whose outcomes come late costs no other event anything (journal: %p)",
    async (isJournalled) => {
      using home = temporaryFolder();
      const harness = await start(home, { isJournalled, stallMs: 10_000 });
      const { delivery, kafka } = harness;
      kafka.delaysRefusals = true;
      const keys = ["k", "l", "m", "n"];
      const outcomes = keys.map((key) => delivery.stored(event(`${key}0`, key), 10_000));
      const guilty = delivery.stored(event("refused", "k"), 10_000);
      for (const key of keys) expect(delivery.accept(event(`${key}1`, key)).status).toBe("accepted");
      const sink = kafka.sinks[0]!;
      sink.deliver(kafka.partitionOf("k"));
      for (const key of keys) expect(delivery.accept(event(`${key}2`, key)).status).toBe("accepted");
      outcomes.push(delivery.stored(event("l3", "l"), 10_000));
      await drain(harness);
      expect((await Promise.all(outcomes)).map(({ status }) => status)).toEqual(outcomes.map(() => "stored"));
      expect(await guilty).toMatchObject({ status: "refused", code: "event_rejected" });
      for (const key of keys)
        expect(values(kafka, key)).toEqual([0, 1, 2, ...(key === "l" ? [3] : [])].map((n) => `${key}${n}`));
      expect(delivery.state().counts.lost).toBe(0);
      await delivery.stop(1_000);
    },
  );

  test("without a journal, only records at fault are lost", async () => {
    using home = temporaryFolder();
    const harness = await start(home, { isJournalled: false, stallMs: 10_000 });
    const { delivery, kafka } = harness;
    kafka.queueSize = 40;
    const random = new Random(11);
    const taken: string[] = [];
    while (taken.length < 1_000) {
      for (let n = random.below(30); n > 0; n--) {
        const value = `${taken.length}${random.next() < 0.1 ? " refused" : ""}`;
        if (delivery.accept(event(value)).status === "accepted") taken.push(value);
      }
      kafka.delaysRefusals = random.next() < 0.5;
      for (const sink of [...kafka.sinks]) sink.deliver(kafka.partitionOf("k"), random.below(20));
      await new Promise(setImmediate);
    }
    await drain(harness);
    const guilty = taken.filter((value) => value.includes("refused"));
    expect(values(kafka)).toEqual(taken.filter((value) => !guilty.includes(value)));
    expect(delivery.state().counts.lost).toBe(guilty.length);
    await delivery.stop(1_000);
  }, 30_000);

  // Fault: while the events of a refused batch were sent again, one after another, every other stored event was refused.
  test.each([true, false])("costs no other caller anything but time (journal: %p)", async (isJournalled) => {
    using home = temporaryFolder();
    const harness = await start(home, { stallMs: 10_000, isJournalled });
    const { delivery, kafka } = harness;
    const outcomes = ["a", "refused", "b"].map((value) => delivery.stored(event(value), 10_000));
    kafka.deliverAll();
    // While the outcomes are awaited, and while the events are sent again.
    outcomes.push(delivery.stored(event("c"), 10_000));
    expect(delivery.accept(event("d"))).toEqual({ status: "accepted" });
    await until("the events to be sent again", () => kafka.sinks[0]!.queued > 0);
    outcomes.push(delivery.stored(event("e"), 10_000));
    if (isJournalled) expect(await delivery.durable(event("f"))).toEqual({ status: "durable" });
    expect(delivery.refuse()).toBeUndefined();
    expect(delivery.state()).toMatchObject({ ready: true, spooling: false });
    await drain(harness);
    const results = await Promise.all(outcomes);
    expect(results.map((result) => ("code" in result ? result.code : result.status))).toEqual([
      "stored",
      "event_rejected",
      "stored",
      "stored",
      "stored",
    ]);
    expect(values(kafka)).toEqual(["a", "b", "c", "d", "e", ...(isJournalled ? ["f"] : [])]);
    expect(delivery.state().counts).toMatchObject({ spooled: 0, lost: 0 });
    await delivery.stop(1_000);
  });

  test.each([true, false])(
    "new events wait in memory only up to a bound (journal: %p)",
    async (isJournalled) => {
      using home = temporaryFolder();
      const harness = await start(home, {
        stallMs: 10_000,
        isJournalled,
        journal: { maxBytes: 2 ** 26, segmentBytes: 2 ** 22 },
      });
      const { delivery, kafka } = harness;
      for (const value of ["a", "refused"]) delivery.accept(event(value));
      kafka.delaysRefusals = true;
      kafka.deliverAll();
      kafka.deliverAll();
      const large = "x".repeat(1_000_000);
      const taken: string[] = [];
      for (let n = 0; n < 30; n++)
        if (delivery.accept(event(`${n} ${large}`)).status === "accepted") taken.push(`${n} ${large}`);
      expect(taken).toHaveLength(isJournalled ? 30 : 17);
      expect(delivery.state().spooling).toBe(isJournalled);
      expect(await delivery.stored(event("s"), 1_000)).toMatchObject({
        status: "refused",
        code: "events_waiting",
      });
      await drain(harness);
      expect(values(kafka)).toEqual(["a", ...taken]);
      await delivery.stop(1_000);
    },
  );

  // Brokers name the records at fault; when they name several, the client gives them one code.
  test("whose guilty records Kafka names is sent again without them", async () => {
    using home = temporaryFolder();
    const harness = await start(home, { stallMs: 10_000 });
    const { delivery, kafka } = harness;
    kafka.namesRecords = true;
    for (const value of ["a", "refused", "b", "c", "d"]) delivery.accept(event(value));
    await drain(harness);
    expect(values(kafka)).toEqual(["a", "b", "c", "d"]);
    expect(delivery.state().counts).toMatchObject({ clientRestarts: 1, rejected: 1 });
    for (const value of ["e", "refused 1", "f", "refused 2", "g"]) delivery.accept(event(value));
    await drain(harness);
    expect(values(kafka)).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
    // One for the batch, and one for each of the two alone.
    expect(delivery.state().counts).toMatchObject({ clientRestarts: 4, rejected: 3 });
    await delivery.stop(1_000);
  });

  test("is not sent again for a caller who has a response", async () => {
    using home = temporaryFolder();
    const harness = await start(home, { stallMs: 10_000 });
    const { delivery, kafka } = harness;
    const outcomes = ["a", "refused", "b"].map((value) => delivery.stored(event(value), 30));
    kafka.deliverAll();
    kafka.isUp = false;
    expect((await Promise.all(outcomes)).map(({ status }) => status)).toEqual([
      "unknown",
      "unknown",
      "unknown",
    ]);
    kafka.isUp = true;
    await drain(harness);
    // The one that was in flight, as a probe.
    expect(values(kafka).length).toBeLessThanOrEqual(1);
    await delivery.stop(1_000);
  });
});

describe("while Kafka is unavailable", () => {
  test("events in flight are reclaimed and sent again, before later ones", async () => {
    using home = temporaryFolder();
    const harness = await start(home);
    harness.kafka.isUp = false;
    for (const value of numbered(0, 20)) harness.delivery.accept(event(value));
    await until("spooling", () => harness.delivery.state().spooling);
    for (const value of numbered(20, 40))
      expect(harness.delivery.accept(event(value)).status).toBe("accepted");
    expect(harness.delivery.state().ready).toBe(true);
    await until("all in the journal", () => harness.delivery.state().journal!.records === 40);
    harness.kafka.isUp = true;
    await drain(harness);
    expect(values(harness.kafka)).toEqual(numbered(0, 40));
    await harness.delivery.stop(1_000);
  });

  test("one failed delivery reclaims all events behind it, so that none overtakes it", async () => {
    using home = temporaryFolder();
    const harness = await start(home, { stallMs: 10_000 });
    for (const value of numbered(0, 10)) harness.delivery.accept(event(value));
    harness.kafka.sinks[0]!.fail(harness.kafka.partitionOf("k"), "timed_out", false);
    for (const value of numbered(10, 20)) harness.delivery.accept(event(value));
    harness.kafka.writeDeferred();
    await drain(harness);
    expect(values(harness.kafka)).toEqual(numbered(0, 20));
    expect(harness.delivery.state().counts).toMatchObject({ failed: { timed_out: 1 }, clientRestarts: 1 });
    await harness.delivery.stop(1_000);
  });

  test("reclaimed events go before journal records that were sent after them", async () => {
    using home = temporaryFolder();
    const harness = await start(home, { stallMs: 10_000 });
    const { kafka, delivery } = harness;
    const accept = (from: number, to: number) => {
      for (const value of numbered(from, to)) delivery.accept(event(value));
    };
    const handedOver = () => until("the spool to end", () => !delivery.state().spooling);
    kafka.queueSize = 5;
    accept(0, 8); // Five go to the client, three to the journal …
    kafka.queueSize = 100;
    await handedOver(); // … and behind the five.
    accept(8, 10);
    kafka.sinks[0]!.fail(kafka.partitionOf("k"), "timed_out", false);
    accept(10, 12);
    await drain(harness);
    expect(values(kafka)).toEqual(numbered(0, 12));

    // The same while spooling again: the records were written before spooling started.
    kafka.queueSize = 5;
    accept(12, 20);
    kafka.queueSize = 8;
    await handedOver();
    accept(20, 22);
    expect(delivery.state().spooling).toBe(true);
    kafka.sinks[0]!.fail(kafka.partitionOf("k"), "timed_out", false);
    kafka.queueSize = 100;
    await drain(harness);
    expect(values(kafka)).toEqual(numbered(0, 22));
    await delivery.stop(1_000);
  });

  test.each(["accept", "durable", "stored"] as const)(
    "a failure reported while an event is being sent (%s) loses neither event",
    async (how) => {
      using home = temporaryFolder();
      const harness = await start(home, { stallMs: 10_000 });
      for (const value of numbered(0, 5)) harness.delivery.accept(event(value));
      harness.kafka.failOnSend = "fatal";
      const answer = harness.delivery[how](event("v5"), 10_000);
      for (const value of numbered(6, 10)) harness.delivery.accept(event(value));
      await drain(harness);
      expect((await answer).status).toBe(how === "accept" ? "accepted" : how);
      expect(values(harness.kafka)).toEqual(numbered(0, 10));
      await harness.delivery.stop(1_000);
    },
  );

  test("without a journal a failed event is lost and counted, and no other is", async () => {
    using home = temporaryFolder();
    const harness = await start(home, { isJournalled: false });
    for (const value of numbered(0, 3)) harness.delivery.accept(event(value));
    harness.kafka.sinks[0]!.fail(harness.kafka.partitionOf("k"), "timed_out", false);
    await drain(harness);
    expect(values(harness.kafka)).toEqual(["v1", "v2"]);
    expect(harness.delivery.state().counts).toMatchObject({ lost: 1, failed: { timed_out: 1 } });
    await harness.delivery.stop(1_000);
  });

  test.each([true, false])(
    "an event that is sent again has its time of receipt as timestamp (journal: %p)",
    async (isJournalled) => {
      using home = temporaryFolder();
      const harness = await start(home, { isJournalled });
      Object.assign(harness.kafka, { isUp: false, looksUp: true });
      for (const [n, value] of numbered(0, 3).entries())
        harness.delivery.accept({ ...event(value), receivedMs: 1_700_000_000_000 + n });
      const stuck = harness.kafka.sinks[0]!;
      await until("another client", () => stuck.isClosed);
      harness.kafka.isUp = true;
      await drain(harness);
      expect(harness.kafka.log.flat().map(({ value, timestampMs }) => [value, timestampMs])).toEqual([
        ["v0", 1_700_000_000_000],
        ["v1", 1_700_000_000_001],
        ["v2", 1_700_000_000_002],
      ]);
      await harness.delivery.stop(1_000);
    },
  );

  test("the only event in flight fails while the next is being sent: the next does not overtake it", async () => {
    using home = temporaryFolder();
    const harness = await start(home, { stallMs: 10_000 });
    harness.delivery.accept(event("v0"));
    harness.kafka.failOnSend = "timed_out";
    for (const value of numbered(1, 5)) harness.delivery.accept(event(value));
    await drain(harness);
    expect(values(harness.kafka)).toEqual(numbered(0, 5));
    await harness.delivery.stop(1_000);
  });

  test("a record that fails as soon as it is sent isn't sent in a tight loop", async () => {
    using home = temporaryFolder();
    let looks = 0;
    const harness = await start(home, { stallMs: 10_000, now: () => looks++ });
    harness.delivery.accept(event("a"));
    const sink = harness.kafka.sinks[0]!;
    const failing = setInterval(
      () => sink.fail(harness.kafka.partitionOf("k"), "broker_unavailable", false),
      0,
    );
    await until("a few tries", () => sink.sends >= 5);
    clearInterval(failing);
    // At most one attempt a tick, and the first.
    expect(sink.sends).toBeLessThanOrEqual(looks + 1);
    await drain(harness);
    expect(values(harness.kafka)).toEqual(["a"]);
    await harness.delivery.stop(1_000);
  });

  test("without a journal a full queue refuses events", async () => {
    using home = temporaryFolder();
    const harness = await start(home, { isJournalled: false });
    harness.kafka.queueSize = 2;
    const answers = numbered(0, 3).map((value) => harness.delivery.accept(event(value)));
    expect(answers[2]).toMatchObject({ status: "refused", code: "queue_full", retryAfterSeconds: 1 });
    expect(harness.delivery.state()).toMatchObject({ ready: true, spooling: false });
    harness.kafka.isUp = false;
    expect(harness.delivery.accept(event("x"))).toMatchObject({ code: "kafka_unavailable" });
    expect(harness.delivery.state()).toMatchObject({ ready: false, refusal: "kafka_unavailable" });
    await harness.delivery.stop(0);
  });
});

describe("the watchdog", () => {
  test("a broker is connected but nothing is delivered: the client is recreated, and its events are sent", async () => {
    using home = temporaryFolder();
    const harness = await start(home);
    Object.assign(harness.kafka, { isUp: false, looksUp: true });
    for (const value of numbered(0, 10)) harness.delivery.accept(event(value));
    const stuck = harness.kafka.sinks[0]!;
    await until("another client", () => stuck.isClosed);
    harness.kafka.isUp = true;
    await drain(harness);
    expect(values(harness.kafka)).toEqual(numbered(0, 10));
    expect(harness.delivery.state().counts.clientRestarts).toBeGreaterThan(0);
    await harness.delivery.stop(1_000);
  });

  test("without a journal, events are resent from memory, even with a full queue", async () => {
    using home = temporaryFolder();
    const harness = await start(home, { isJournalled: false });
    Object.assign(harness.kafka, { isUp: false, looksUp: true, queueSize: 10 });
    for (const value of numbered(0, 10)) harness.delivery.accept(event(value));
    const stuck = harness.kafka.sinks[0]!;
    await until("another client", () => stuck.isClosed);
    harness.kafka.isUp = true;
    await drain(harness);
    expect(values(harness.kafka)).toEqual(numbered(0, 10));
    expect(harness.delivery.state().counts.lost).toBe(0);
    await harness.delivery.stop(1_000);
  });

  test("a connected client that takes nothing, with nothing in flight, is recreated", async () => {
    using home = temporaryFolder();
    const harness = await start(home);
    harness.kafka.sinks[0]!.takesNothing = true;
    for (const value of numbered(0, 10)) harness.delivery.accept(event(value));
    await drain(harness);
    expect(values(harness.kafka)).toEqual(numbered(0, 10));
    expect(harness.delivery.state().counts.clientRestarts).toBe(1);
    await harness.delivery.stop(1_000);
  });

  test("a client with a fatal error is recreated at once", async () => {
    using home = temporaryFolder();
    const harness = await start(home, { stallMs: 10_000 });
    for (const value of numbered(0, 10)) harness.delivery.accept(event(value));
    harness.kafka.sinks[0]!.fail(harness.kafka.partitionOf("k"), "fatal", false);
    await drain(harness);
    expect(values(harness.kafka)).toEqual(numbered(0, 10));
    await harness.delivery.stop(1_000);
  });

  // All events of a client waited for the oldest record, whatever its partition.
  test("one partition without a leader: other partitions go on, and its events wait in order", async () => {
    using home = temporaryFolder();
    const harness = await start(home);
    const { kafka, delivery } = harness;
    const [stuck, well] = ["k", "other"].map((key) => kafka.partitionOf(key));
    expect(stuck).not.toBe(well);
    kafka.leaderless.add(stuck!);
    const untilWell = (count: number) =>
      until(`${count} of the other partition`, () => {
        kafka.deliverAll();
        return values(kafka, "other").length === count && !delivery.state().spooling;
      });
    for (const value of numbered(0, 10)) {
      delivery.accept(event(value, "k"));
      delivery.accept(event(value, "other"));
    }
    await untilWell(10);
    // Each time that its events are reclaimed, the other partitions are held up only briefly.
    for (let round = 1; round <= 3; round++) {
      const { clientRestarts } = delivery.state().counts;
      await until("another client", () => delivery.state().counts.clientRestarts > clientRestarts);
      for (const value of numbered(10 * round, 10 * round + 10)) {
        delivery.accept(event(value, "k"));
        delivery.accept(event(value, "other"));
      }
      await untilWell(10 * round + 10);
    }
    const answer = delivery.stored(event("stored", "other"), 10_000);
    kafka.deliverAll();
    expect(await answer).toMatchObject({ status: "stored", partition: well });

    // The same in a process that finds such an event first in its journal.
    await delivery.stop(0);
    const next = await start(home, { kafka });
    next.delivery.accept(event("last", "other"));
    await until("the other partition's last", () => {
      kafka.deliverAll();
      return values(kafka, "other").includes("last");
    });
    expect(values(kafka)).toEqual([]);
    kafka.leaderless.clear();
    await drain(next);
    expect(values(kafka)).toEqual(numbered(0, 40));
    await next.delivery.stop(1_000);
  });

  // Fault: with KAFKA_TOPIC_RECREATE=false the client was recreated after each DELIVERY_STALL_MS, for as long as the topic was missing.
  test("stays quiet while the topic is missing, and its events wait", async () => {
    using home = temporaryFolder();
    let [clock, looks] = [0, 0];
    const now = () => {
      looks++;
      return clock;
    };
    const harness = await start(home, { now });
    const { delivery, kafka } = harness;
    kafka.leaderless.add(kafka.partitionOf("k"));
    delivery.accept(event("in flight"));
    delivery.setTopicsMissing(true);
    for (const value of numbered(0, 3)) expect(delivery.accept(event(value)).status).toBe("accepted");
    for (let i = 0; i < 10; i++) {
      const before = looks;
      await until("the watchdog to look", () => looks > before + 1);
      clock += STALL_MS;
    }
    // Once: what is in flight is taken back.
    expect(delivery.state()).toMatchObject({
      inFlight: 0,
      journal: { records: 4 },
      failing: { code: "unknown_topic" },
      counts: { clientRestarts: 1 },
    });
    expect(await delivery.stored(event("s"), 1_000)).toMatchObject({ code: "kafka_misconfigured" });
    kafka.leaderless.clear();
    delivery.setTopicsMissing(false);
    await until("all to be delivered", () => {
      clock++;
      kafka.deliverAll();
      return delivery.state().journal!.records === 0;
    });
    expect(values(kafka)).toEqual(["in flight", ...numbered(0, 3)]);
    expect(delivery.state().failing).toBeUndefined();
    await delivery.stop(1_000);
  });

  test("stays quiet while there is progress", async () => {
    using home = temporaryFolder();
    let [clock, looks] = [0, 0];
    const now = () => {
      looks++;
      return clock;
    };
    const harness = await start(home, { now });
    for (const value of numbered(0, 20)) harness.delivery.accept(event(value));
    const partition = harness.kafka.partitionOf("k");
    for (let i = 0; i < 20; i++) {
      harness.kafka.sinks[0]!.deliver(partition, 1);
      const before = looks;
      await until("the watchdog to look", () => looks > before);
      clock += STALL_MS - 1;
    }
    expect(harness.delivery.state().counts).toMatchObject({ delivered: 20, clientRestarts: 0 });
    await harness.delivery.stop(1_000);
  });
});

describe("stopping and starting", () => {
  test("flushes the client", async () => {
    using home = temporaryFolder();
    const harness = await start(home);
    for (const value of numbered(0, 10)) harness.delivery.accept(event(value));
    expect(await harness.delivery.stop(1_000)).toEqual({ journalled: 0, lost: 0 });
    expect(values(harness.kafka)).toEqual(numbered(0, 10));
    expect(harness.delivery.accept(event("late"))).toMatchObject({
      status: "refused",
      code: "shutting_down",
    });
    expect(await harness.delivery.durable(event("late"))).toMatchObject({ code: "shutting_down" });
    expect(await harness.delivery.stored(event("late"), 1_000)).toMatchObject({ code: "shutting_down" });
  });

  test("without Kafka loses nothing: the next start sends the events first, in order", async () => {
    using home = temporaryFolder();
    const first = await start(home, { stallMs: 10_000 });
    first.kafka.isUp = false;
    for (const value of numbered(0, 10)) first.delivery.accept(event(value));
    const durable = numbered(10, 15).map((value) => first.delivery.durable(event(value)));
    const stored = first.delivery.stored(event("s"), 10_000);
    for (const value of numbered(15, 20)) first.delivery.accept(event(value));
    expect(await first.delivery.stop(200)).toEqual({ journalled: 20, lost: 0 });
    expect((await Promise.all(durable)).every((answer) => answer.status === "durable")).toBe(true);
    expect(await stored).toEqual({ status: "unknown" });

    const second = await start(home);
    expect(second.delivery.state()).toMatchObject({ ready: true, spooling: true, journal: { records: 20 } });
    for (const value of numbered(20, 25)) second.delivery.accept(event(value));
    await drain(second);
    expect(values(second.kafka)).toEqual(numbered(0, 25));
    expect(await second.delivery.stop(1_000)).toEqual({ journalled: 0, lost: 0 });
  });

  // Their connections were closed without a response: the port closed before delivery stopped.
  test("settlePending settles pending calls as unknown, and their events are delivered", async () => {
    using home = temporaryFolder();
    const harness = await start(home, { stallMs: 10_000, journal: { fsyncIntervalMs: 60_000 } });
    const stored = harness.delivery.stored(event("s"), 60_000);
    const durable = harness.delivery.durable(event("d"));
    harness.delivery.settlePending();
    expect(await stored).toEqual({ status: "unknown" });
    expect(await durable).toEqual({ status: "unknown" });
    expect(await harness.delivery.stop(1_000)).toEqual({ journalled: 0, lost: 0 });
    expect(values(harness.kafka)).toEqual(["s", "d"]);
  });

  test("without a journal returns how many events are lost", async () => {
    using home = temporaryFolder();
    const { kafka, delivery } = await start(home, { isJournalled: false });
    kafka.isUp = false;
    for (const value of numbered(0, 3)) delivery.accept(event(value));
    expect(await delivery.stop(50)).toEqual({ journalled: 0, lost: 3 });
  });

  test("starting on another process's journal fails and closes the client", async () => {
    using home = temporaryFolder();
    const first = await start(home);
    const kafka = new FakeKafka();
    await expect(start(home, { kafka })).rejects.toThrow("another process uses the journal folder");
    expect(kafka.sinks).toEqual([]);
    await first.delivery.stop(1_000);
  });
});
