// Random but reproducible histories of events, faults and restarts: no durable or stored event is lost, no event
// reaches Kafka before an older one of the same key and topic, each arrives in its topic with its headers, and a record
// that Kafka refuses costs no other event anything.
import { expect, test } from "bun:test";
import { cpSync, existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Random, temporaryFolder } from "@ingest/testkit";
import { JournalledDelivery } from "./delivery.ts";
import { workerFolder } from "./journal/folder.ts";
import { RejectedEvents } from "./rejected-events.ts";
import { FakeKafka } from "./testing/fake-kafka.ts";
import { event, openJournal, quietLog } from "./testing/journal.ts";
import type { EncodedEvent } from "./types.ts";

const RUNS = 150;
const STEPS = 200;
const KEYS = 5;

interface Ledger {
  /** Accepted and durable events by key, in the order in which they were taken. */
  taken: Map<string, string[]>;
  /** Confirmed as durable or stored. */
  confirmed: Set<string>;
  /** Taken into the memory of a process that was killed later. */
  mayBeLost: Set<string>;
  refused: Set<string>;
  /** Refused for what is in the event. */
  rejected: Set<string>;
}

/** Kafka refuses this record whenever it is sent. */
const isGuilty = (value: string) => value.includes("refused");

/** Each key has one topic; one of them is the journal's own. */
function topicOf(value: string): string | undefined {
  return [undefined, "events", "orders", "payments"][Number(value.slice(1, value.indexOf(":"))) % 4];
}

/** Every third event has headers, made of its value. */
function headersOf(value: string): EncodedEvent["headers"] {
  if (Number(value.split(":")[1]) % 3 !== 0) return undefined;
  return [
    ["id", value.slice(0, 10)],
    ["bytes", Buffer.from(value)],
    ["none", null],
  ];
}

const routed = (value: string, key: string): EncodedEvent => ({
  ...event(value, key),
  topic: topicOf(value),
  headers: headersOf(value),
});

/** Copies a folder while files in it are created and removed. */
function copyAsItIs(from: string, to: string): void {
  for (let tries = 1; ; tries++) {
    try {
      cpSync(from, to, { recursive: true });
      return;
    } catch (error) {
      if (tries === 100) throw error;
      rmSync(to, { recursive: true, force: true });
    }
  }
}

/** The values in the file of rejected events. */
function readRejected(path: string): string[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").trim().split("\n");
  return lines.map((line) => Buffer.from(JSON.parse(line).value, "base64").toString());
}

async function run(seed: number): Promise<void> {
  using home = temporaryFolder();
  const random = new Random(seed);
  const kafka = new FakeKafka(1 + random.below(4));
  kafka.queueSize = 5 + random.below(30);
  const ledger: Ledger = {
    taken: new Map(),
    confirmed: new Set(),
    mayBeLost: new Set(),
    refused: new Set(),
    rejected: new Set(),
  };
  const pending: Promise<void>[] = [];
  /** The number of the current process. A killed one leaves its folder behind; the next one gets a copy. */
  const guiltyShare = [0, 0.02, 0.2][random.below(3)]!;
  let life = 0;
  let folder = 0;
  let unconfirmed: string[] = [];
  let delivery = await start(0);
  let count = 0;

  async function start(number: number): Promise<JournalledDelivery> {
    const path = join(home.path, String(number));
    const started = new JournalledDelivery({
      createSink: kafka.createSink,
      openJournal: () =>
        openJournal(path, { segmentBytes: 2048, maxBytes: 60_000, fsyncIntervalMs: random.below(3) }),
      rejected: new RejectedEvents({
        path: join(path, "rejected.ndjson"),
        topic: "events",
        maxBytes: 2 ** 30,
        log: quietLog,
      }),
      // Ten times as fast as the clock, so that pauses are short.
      now: () => performance.now() * 10,
      stallMs: 100 + random.below(300),
      durableDeadlineMs: 10_000,
      tickMs: 2,
      log: quietLog,
    });
    await started.start();
    return started;
  }

  function submit(): void {
    const key = `k${random.below(KEYS)}`;
    const guilt = random.next() < guiltyShare ? "refused" : "";
    const value = `${key}:${count++}:${guilt}${"x".repeat(random.below(60))}`;
    const dice = random.next();
    const recordTaken = () => ledger.taken.set(key, [...(ledger.taken.get(key) ?? []), value]);
    if (dice < 0.6) {
      if (delivery.accept(routed(value, key)).status !== "accepted") {
        ledger.refused.add(value);
        return;
      }
      recordTaken();
      unconfirmed.push(value);
    } else if (dice < 0.9) {
      // Refused at once, or queued: its place in the order is that of the call.
      const before = delivery.state().counts.refused;
      const refusedBefore = Object.values(before).reduce((a, b) => a + b, 0);
      const answer = delivery.durable(routed(value, key));
      const refusedAfter = Object.values(delivery.state().counts.refused).reduce((a, b) => a + b, 0);
      if (refusedAfter > refusedBefore) {
        ledger.refused.add(value);
        return;
      }
      recordTaken();
      unconfirmed.push(value);
      // A killed process sends no response.
      const answering = life;
      pending.push(
        answer.then(({ status }) => {
          if (status === "durable" && answering === life) ledger.confirmed.add(value);
          if (status === "refused") ledger.refused.add(value);
        }),
      );
    } else {
      pending.push(
        delivery.stored(routed(value, key), 1 + random.below(50)).then((outcome) => {
          if (outcome.status === "stored") ledger.confirmed.add(value);
          if (outcome.status !== "refused") return;
          ledger.refused.add(value);
          if (outcome.code === "event_rejected") ledger.rejected.add(value);
        }),
      );
    }
  }

  /** Until `repairDisk`, new journal files can't be created and closed ones can't be read. */
  function breakDisk(): void {
    const path = workerFolder(join(home.path, String(folder)), 0);
    if (existsSync(path)) renameSync(path, `${path}-away`);
  }

  function repairDisk(): void {
    const path = workerFolder(join(home.path, String(folder)), 0);
    if (existsSync(`${path}-away`)) renameSync(`${path}-away`, path);
  }

  /** As SIGKILL: the next process finds the files as they are at this moment. */
  async function kill(): Promise<void> {
    repairDisk();
    const old = delivery;
    copyAsItIs(join(home.path, String(folder)), join(home.path, String(folder + 1)));
    for (const value of unconfirmed) if (!ledger.confirmed.has(value)) ledger.mayBeLost.add(value);
    unconfirmed = [];
    life++;
    for (const sink of [...kafka.sinks]) await sink.close();
    const wasUp = kafka.isUp;
    kafka.isUp = false;
    await old.stop(0);
    kafka.isUp = wasUp;
    delivery = await start(++folder);
  }

  async function restart(): Promise<void> {
    repairDisk();
    const { lost } = await delivery.stop(random.below(20));
    expect(lost, `seed ${seed}`).toBe(0);
    delivery = await start(folder);
  }

  const failures = ["timed_out", "broker_unavailable", "not_enough_replicas", "fatal"] as const;
  const failOldest = () => {
    const code = failures[random.below(failures.length)]!;
    const isWritten = code === "timed_out" && random.next() < 0.5;
    kafka.sinks.at(-1)?.fail(random.below(kafka.log.length), code, isWritten);
  };
  const faults: (() => unknown)[] = [
    () => Object.assign(kafka, { isUp: false }),
    () => Object.assign(kafka, { isUp: true }),
    () => Object.assign(kafka, { isUp: true }),
    () => Object.assign(kafka, { looksUp: kafka.looksUp ? undefined : true }),
    () => Object.assign(kafka, { queueSize: 5 + random.below(30) }),
    () => kafka.writeDeferred(),
    ...Array.from({ length: 8 }, () => failOldest),
    () => Object.assign(kafka, { failOnSend: random.next() < 0.5 ? "fatal" : "timed_out" }),
    () => Object.assign(kafka, { namesRecords: !kafka.namesRecords }),
    () => Object.assign(kafka, { delaysRefusals: !kafka.delaysRefusals }),
    () => Object.assign(kafka, { refusesTimestamps: random.next() < 0.3 }),
    () => kafka.leaderless.add(random.below(kafka.log.length)),
    () => kafka.leaderless.clear(),
    breakDisk,
    repairDisk,
    repairDisk,
    kill,
    restart,
  ];

  const deliver = () => {
    for (const sink of [...kafka.sinks]) sink.deliver(random.below(kafka.log.length), random.below(8));
  };
  // Every history has its own mix: how often brokers deliver, faults occur, and the event loop gets a turn.
  const steps: [weight: number, step: () => unknown][] = [
    [1, () => Array.from({ length: 1 + random.below(12) }, submit)],
    [0.1 + random.next(), deliver],
    [0.05 + 0.4 * random.next(), () => faults[random.below(faults.length)]!()],
    [0.1 + random.next(), () => new Promise(setImmediate)],
    [0.03, () => Bun.sleep(random.below(15))],
  ];
  const total = steps.reduce((sum, [weight]) => sum + weight, 0);
  for (let n = 0; n < STEPS; n++) {
    let at = random.next() * total;
    for (const [weight, step] of steps) {
      at -= weight;
      if (at >= 0) continue;
      await step();
      break;
    }
  }

  repairDisk();
  kafka.leaderless.clear();
  Object.assign(kafka, {
    isUp: true,
    looksUp: undefined,
    queueSize: 1000,
    failOnSend: undefined,
    refusesTimestamps: false,
  });
  // A turn of the event loop a round trip: refused records cost many.
  const isDone = () => {
    kafka.writeDeferred();
    kafka.deliverAll();
    const { inFlight, spooling, journal } = delivery.state();
    return inFlight === 0 && !spooling && journal!.records === 0;
  };
  const deadline = performance.now() + 20_000;
  while (!isDone()) {
    if (performance.now() > deadline) throw new Error(`seed ${seed}: not all was delivered in time`);
    await new Promise(setImmediate);
  }
  await Promise.all(pending);
  expect(await delivery.stop(1_000), `seed ${seed}`).toEqual({ journalled: 0, lost: 0 });

  for (const { value, topic, headers } of kafka.log.flat()) {
    expect(topic ?? "events", `seed ${seed}, topic of ${value}`).toBe(topicOf(value) ?? "events");
    const asBytes = headersOf(value)?.map(([name, content]) => [
      name,
      content && Buffer.from(content as Uint8Array),
    ]);
    const arrived = headers?.map(([name, content]) => [name, content && Buffer.from(content as Uint8Array)]);
    expect(arrived as never, `seed ${seed}, headers of ${value}`).toEqual(asBytes as never);
  }
  const there = kafka.firstByKey();
  for (const [key, taken] of ledger.taken) {
    const arrived = there.get(key) ?? [];
    // An event that was in the memory of a killed process only may still have been in flight, and arrive at any time.
    const isKept = (value: string) => !ledger.mayBeLost.has(value);
    const inOrder = arrived.filter((value) => taken.includes(value) && isKept(value));
    expect(inOrder, `seed ${seed}, order of ${key}`).toEqual(
      taken.filter((value) => isKept(value) && !isGuilty(value)),
    );
  }
  const all = new Set([...there.values()].flat());
  const setAside = new Set(readRejected(join(home.path, String(folder), "rejected.ndjson")));
  expect([...all, ...setAside].filter((value) => isGuilty(value) !== setAside.has(value))).toEqual([]);
  expect(
    [...ledger.confirmed].filter((value) => !all.has(value) && !setAside.has(value)),
    `seed ${seed}, confirmed`,
  ).toEqual([]);
  const guilty = [...ledger.taken.values()].flat().filter(isGuilty);
  expect(
    guilty.filter((value) => !setAside.has(value) && !ledger.mayBeLost.has(value)),
    `seed ${seed}, set aside`,
  ).toEqual([]);
  expect(
    [...ledger.rejected].filter((value) => !isGuilty(value)),
    `seed ${seed}, rejected`,
  ).toEqual([]);
  expect(
    [...ledger.refused].filter((value) => all.has(value)),
    `seed ${seed}, refused`,
  ).toEqual([]);
}

const seeds = process.env.DELIVERY_MODEL_SEED
  ? [Number(process.env.DELIVERY_MODEL_SEED)]
  : Array.from({ length: RUNS }, (_, i) => i + 1);

test(`${seeds.length} random histories`, async () => {
  for (const seed of seeds) await run(seed);
}, 120_000);
