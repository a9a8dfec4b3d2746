import { describe, expect, spyOn, test } from "bun:test";
import { mkdirSync, renameSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { type TemporaryFolder, temporaryFolder, until } from "@ingest/testkit";
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
            maxBytes: options.maxRejectedBytes ?? 2 ** 30,
            log: quietLog,
            retryMs: 5,
          }),
        }),
  });
  await delivery.start();
  return { kafka, delivery, folder: workerFolder(home.path, 0), rejectedPath };
}

/** Lets the brokers take everything until delivery has nothing left to send. */
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
  test("goes to the client at once and to no journal", async () => {
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

  test("is refused when the journal is full too, and taken again once there is room", async () => {
    using home = temporaryFolder();
    const harness = await start(home, { journal: { maxBytes: 10_000 }, stallMs: 10_000 });
    harness.kafka.queueSize = 1;
    let taken = 0;
    while (harness.delivery.accept(event(`v${taken}`)).status === "accepted") taken++;
    const refusal = { status: "refused", code: "journal_full", retryAfterSeconds: 5 } as const;
    expect(harness.delivery.accept(event("x"))).toEqual(refusal);
    expect(harness.delivery.refuse()).toEqual(refusal);
    expect(harness.delivery.state()).toMatchObject({ ready: false, refusal: "journal_full" });
    await drain(harness);
    expect(values(harness.kafka)).toEqual(numbered(0, taken));
    expect(harness.delivery.accept(event("y")).status).toBe("accepted");
    expect(harness.delivery.refuse()).toBeUndefined();
    await harness.delivery.stop(1_000);
  });

  test("that Kafka refuses for good is set aside and counted", async () => {
    using home = temporaryFolder();
    const harness = await start(home);
    for (const value of ["a", "refused", "b"]) harness.delivery.accept(event(value));
    await drain(harness);
    expect(values(harness.kafka)).toEqual(["a", "b"]);
    expect(harness.delivery.state().counts).toMatchObject({
      rejected: 1,
      lost: 0,
      failed: { invalid_record: 1 },
    });
    await harness.delivery.stop(1_000);
    const line = JSON.parse(await Bun.file(harness.rejectedPath).text());
    expect([line.key, line.code, atob(line.value)]).toEqual(["k", "invalid_record", "refused"]);
  });

  // It was let go of in the journal before its line was written: a full disk or a kill in between lost it.
  test.each(["accept", "durable"] as const)(
    "(%s) that Kafka refuses for good stays in the journal until the disk has its line",
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

  test("as many as Kafka refuses: memory holds a part, the journal the rest, and others go on", async () => {
    using home = temporaryFolder();
    const harness = await start(home, {
      journal: { maxBytes: 2 ** 26 },
      maxRejectedBytes: 10,
      stallMs: 10_000,
    });
    const large = "x".repeat(100_000);
    const refused = Array.from({ length: 30 }, (_, i) => `refused ${i} ${large}`);
    for (const value of refused) harness.delivery.accept(event(value));
    harness.kafka.deliverAll();
    expect(harness.delivery.state()).toMatchObject({ spooling: true, journal: { records: 30 } });
    for (const value of numbered(0, 5)) harness.delivery.accept(event(value));
    // The first is in the file, which is full with it.
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

  // Replay went back only at a moment when nothing waited and nothing was in flight.
  test("left in the journal because so much was refused at once is set aside under a steady load too", async () => {
    using home = temporaryFolder();
    const harness = await start(home, { stallMs: 10_000, journal: { maxBytes: 2 ** 26 } });
    for (let i = 0; i < 3; i++) harness.delivery.accept(event(`refused ${i} ${"x".repeat(900_000)}`));
    harness.kafka.deliverAll();
    expect(harness.delivery.state().spooling).toBe(true);
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

  test("that is too large for Kafka is refused at once", async () => {
    using home = temporaryFolder();
    const { delivery } = await start(home);
    expect(delivery.accept(event("too large"))).toEqual({ status: "refused", code: "too_large" });
    expect(await delivery.durable(event("too large"))).toEqual({ status: "refused", code: "too_large" });
    expect(await delivery.stored(event("too large"), 1_000)).toEqual({
      status: "refused",
      code: "too_large",
    });
    expect(delivery.state()).toMatchObject({ inFlight: 0, journal: { records: 0 } });
    await delivery.stop(1_000);
  });
});

describe("durable", () => {
  test("is on the disk when it is answered, and sent without waiting for that", async () => {
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

  test("is refused while the disk doesn't take it; accepted goes on", async () => {
    using home = temporaryFolder();
    const harness = await start(home);
    renameSync(harness.folder, `${harness.folder}-away`);
    // The first finds out, when it is on its way to Kafka already: it was not refused.
    expect(await harness.delivery.durable(event("a"))).toEqual({ status: "unknown" });
    expect(await harness.delivery.durable(event("b"))).toMatchObject({ code: "journal_unavailable" });
    expect(harness.delivery.accept(event("c"))).toEqual({ status: "accepted" });
    expect(harness.delivery.state().ready).toBe(true);
    renameSync(`${harness.folder}-away`, harness.folder);
    await until("the disk", () => harness.delivery.state().journal!.isWritable);
    expect(await harness.delivery.durable(event("d"))).toEqual({ status: "durable" });
    await drain(harness);
    expect(values(harness.kafka)).toEqual(["a", "c", "d"]);
    await harness.delivery.stop(1_000);
  });
});

describe("a disk whose fsync hangs", () => {
  /** Until `release` an fsync of the journal doesn't return. */
  function hang() {
    const { promise, resolve } = Promise.withResolvers<void>();
    const sync = spyOn(Segment.prototype, "sync").mockImplementation(() => promise);
    const release = () => {
      sync.mockRestore();
      resolve();
    };
    return { release, [Symbol.dispose]: release };
  }

  // Callers waited for as long as the disk did, and more were taken until requests had no room left.
  test("durable is answered by its deadline", async () => {
    using home = temporaryFolder();
    using disk = hang();
    const harness = await start(home, { durableDeadlineMs: 20 });
    expect(await harness.delivery.durable(event("a"))).toEqual({ status: "unknown" });
    disk.release();
    await drain(harness);
    expect(values(harness.kafka)).toEqual(["a"]);
    await harness.delivery.stop(1_000);
  });

  test("durable is refused at once while it lasts; accepted goes on; then it is taken again", async () => {
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
  test("is answered with where it is", async () => {
    using home = temporaryFolder();
    const harness = await start(home);
    harness.delivery.accept(event("before"));
    const answer = harness.delivery.stored(event("a"), 10_000);
    harness.kafka.deliverAll();
    const partition = harness.kafka.partitionOf("k");
    expect(await answer).toEqual({ status: "stored", topic: "events", partition, offset: 1 });
    await harness.delivery.stop(1_000);
  });

  test("is unknown past its deadline, and isn't answered twice", async () => {
    using home = temporaryFolder();
    const harness = await start(home, { stallMs: 10_000 });
    expect(await harness.delivery.stored(event("a"), 5)).toEqual({ status: "unknown" });
    await drain(harness);
    expect(values(harness.kafka)).toEqual(["a"]);
    await harness.delivery.stop(1_000);
  });

  test("never outlives its answer: what Kafka doesn't take is not kept for later", async () => {
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
      code: "queue_full",
    });
    await drain(harness);
    await harness.delivery.stop(1_000);
  });
});

describe("when Kafka is away", () => {
  test("what the client holds is taken back and sent again, before what came later", async () => {
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

  test("one failed delivery takes back all behind it, so that none overtakes it", async () => {
    using home = temporaryFolder();
    const harness = await start(home, { stallMs: 10_000 });
    for (const value of numbered(0, 10)) harness.delivery.accept(event(value));
    harness.kafka.sinks[0]!.fail(harness.kafka.partitionOf("k"), "timed_out", false);
    for (const value of numbered(10, 20)) harness.delivery.accept(event(value));
    harness.kafka.landLate();
    await drain(harness);
    expect(values(harness.kafka)).toEqual(numbered(0, 20));
    expect(harness.delivery.state().counts).toMatchObject({ failed: { timed_out: 1 }, clientRestarts: 1 });
    await harness.delivery.stop(1_000);
  });

  test("what comes back goes before records of the journal that were handed over behind it", async () => {
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

    // The same while spooling again: the records were written before that began.
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
    "a failure told while an event is handed over (%s) loses neither",
    async (how) => {
      using home = temporaryFolder();
      const harness = await start(home, { stallMs: 10_000 });
      for (const value of numbered(0, 5)) harness.delivery.accept(event(value));
      harness.kafka.failOnSend = "fatal";
      const answer = await harness.delivery[how](event("v5"), 1_000);
      for (const value of numbered(6, 10)) harness.delivery.accept(event(value));
      await drain(harness);
      const expected = numbered(0, 10);
      if (how === "stored") {
        expect(answer).toMatchObject({ status: "refused", code: "queue_full" });
        expected.splice(5, 1);
      } else expect(answer.status).toBe(how === "accept" ? "accepted" : "durable");
      expect(values(harness.kafka)).toEqual(expected);
      await harness.delivery.stop(1_000);
    },
  );

  test("without a journal a failed event is lost, counted, and costs no other", async () => {
    using home = temporaryFolder();
    const harness = await start(home, { isJournalled: false });
    for (const value of numbered(0, 3)) harness.delivery.accept(event(value));
    harness.kafka.sinks[0]!.fail(harness.kafka.partitionOf("k"), "timed_out", false);
    await drain(harness);
    expect(values(harness.kafka)).toEqual(["v1", "v2"]);
    expect(harness.delivery.state().counts).toMatchObject({ lost: 1, failed: { timed_out: 1 } });
    await harness.delivery.stop(1_000);
  });

  test("the only one in flight fails while the next is handed over: that one doesn't overtake it", async () => {
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
    const failing = setInterval(() => sink.fail(harness.kafka.partitionOf("k"), "unknown_topic", false), 0);
    await until("a few tries", () => sink.sends >= 5);
    clearInterval(failing);
    // A try a tick at most, and the first.
    expect(sink.sends).toBeLessThanOrEqual(looks + 1);
    await drain(harness);
    expect(values(harness.kafka)).toEqual(["a"]);
    await harness.delivery.stop(1_000);
  });

  test("without a journal a full queue refuses", async () => {
    using home = temporaryFolder();
    const harness = await start(home, { isJournalled: false });
    harness.kafka.queueSize = 2;
    const answers = numbered(0, 3).map((value) => harness.delivery.accept(event(value)));
    expect(answers[2]).toEqual({ status: "refused", code: "queue_full", retryAfterSeconds: 1 });
    expect(harness.delivery.state()).toMatchObject({ ready: true, spooling: false });
    harness.kafka.isUp = false;
    expect(harness.delivery.accept(event("x"))).toMatchObject({ code: "kafka_unavailable" });
    expect(harness.delivery.state()).toMatchObject({ ready: false, refusal: "kafka_unavailable" });
    await harness.delivery.stop(0);
  });
});

describe("the watchdog", () => {
  test("a broker that answers and delivers nothing: the client is recreated, and its events are sent", async () => {
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

  test("does so without a journal too, from memory, with its queue full", async () => {
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
    harness.kafka.sinks[0]!.isDeaf = true;
    for (const value of numbered(0, 10)) harness.delivery.accept(event(value));
    await drain(harness);
    expect(values(harness.kafka)).toEqual(numbered(0, 10));
    expect(harness.delivery.state().counts.clientRestarts).toBe(1);
    await harness.delivery.stop(1_000);
  });

  test("a client that says it is of no more use is replaced at once", async () => {
    using home = temporaryFolder();
    const harness = await start(home, { stallMs: 10_000 });
    for (const value of numbered(0, 10)) harness.delivery.accept(event(value));
    harness.kafka.sinks[0]!.fail(harness.kafka.partitionOf("k"), "fatal", false);
    await drain(harness);
    expect(values(harness.kafka)).toEqual(numbered(0, 10));
    await harness.delivery.stop(1_000);
  });

  // All that a client holds waited for the oldest record, whatever partition that was for.
  test("one partition without a leader: the others go on, its own events wait in order", async () => {
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
    // For as long as it lasts: each time that what it has is taken back, others aren't held up for long.
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

    // So does a process that finds such an event at the front of what the former one left.
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
  test("flushes what Kafka takes", async () => {
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

  test("with Kafka away loses nothing: the next start sends it first, in order", async () => {
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

  // They were cut off without an answer: the port closed before delivery stopped.
  test("those who wait are answered when asked for, and what they brought goes on", async () => {
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

  test("without a journal says what is lost", async () => {
    using home = temporaryFolder();
    const { kafka, delivery } = await start(home, { isJournalled: false });
    kafka.isUp = false;
    for (const value of numbered(0, 3)) delivery.accept(event(value));
    expect(await delivery.stop(50)).toEqual({ journalled: 0, lost: 3 });
  });

  test("another process's journal is told at the start, and the client let go", async () => {
    using home = temporaryFolder();
    const first = await start(home);
    const kafka = new FakeKafka();
    await expect(start(home, { kafka })).rejects.toThrow("another process uses the journal folder");
    expect(kafka.sinks).toEqual([]);
    await first.delivery.stop(1_000);
  });
});
