// Events that cannot be handled, on a real broker: written to the dead-letter topic, and replayed from it.
import { afterAll, describe, expect, test } from "bun:test";
import { type ConsumedRecord, consumerSettings, createConsumer, toClientConfig } from "@ingest/kafka";
import { parseSettings } from "@ingest/service";
import { until } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { startConsumer, startReplay } from "@ingest/testkit/service";
import { eventRecord, eventRecords, missingOf } from "./event-records.ts";

const kafka = await KafkaFixture.shared();
afterAll(() => kafka[Symbol.asyncDispose]());

/** A webhook that responds to each event with the given status. */
function startReceiver(statusOf: (id: string) => number) {
  /** Ids of the events that got a 2xx response. */
  const handled: string[] = [];
  /** Ids of all requests. */
  const requested: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { event_id } = (await request.json()) as { event_id: string };
      requested.push(event_id);
      const status = statusOf(event_id);
      if (status < 300) handled.push(event_id);
      return new Response("the receiver's reason", { status });
    },
  });
  return { handled, requested, url: server.url.href, stop: () => server.stop(true) };
}

const quickRetries = { RETRY_BACKOFF_MS: "5", RETRY_BACKOFF_MAX_MS: "20", RETRY_MAX_TRIES: "3" };

function headersOf(record: ConsumedRecord): Record<string, string> {
  return Object.fromEntries(record.headers.map(([name, value]) => [name, String(value)]));
}

describe("dead letters", () => {
  test("a record that is not an event is logged, counted and dead-lettered, and the consumer continues", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(1);
    await kafka.write([
      eventRecord(topic, 0),
      { topic, key: "k", value: Buffer.from("{not json"), headers: [["trace", "abc"]], timestampMs: 1_234 },
      { topic, key: null, value: null },
      { topic, key: null, value: Buffer.from([0xc3, 0x28]) },
      { topic, key: null, value: Buffer.from('{"event_type":"x","event_id":"a"}') },
      eventRecord(topic, 1),
    ]);
    await using consumer = startConsumer(env);
    await until("all committed", async () => (await kafka.committed(env)) === 6);
    expect(consumer.events.map(({ event_id }) => event_id)).toEqual(["e0", "e1"]);
    const logged = consumer.lines.filter(({ message }) => message === "record is not an event");
    expect(logged.map(({ level, partition, offset }) => ({ level, partition, offset }))).toEqual(
      [1, 2, 3, 4].map((offset) => ({ level: "warn", partition: 0, offset })),
    );
    expect(await consumer.metric("ingest_consumer_not_an_event_total")).toBe(4);
    expect(await consumer.metric("ingest_consumer_dead_letters_total")).toBe(4);
    expect(await consumer.stop()).toBe(0);

    const deadLetters = await kafka.read(`${topic}.dead-letter`);
    expect(deadLetters).toHaveLength(4);
    const first = deadLetters.find(({ key }) => key?.toString() === "k")!;
    expect(first.value?.toString()).toBe("{not json");
    expect(headersOf(first)).toEqual({
      trace: "abc",
      "dead-letter-reason": "not_an_event",
      "dead-letter-cause": expect.stringContaining("not JSON"),
      "dead-letter-tries": "0",
      "dead-letter-original-topic": topic,
      "dead-letter-original-partition": "0",
      "dead-letter-original-offset": "1",
      "dead-letter-original-timestamp": "1234",
    });
  }, 60_000);

  test("a record at the size limit is dead-lettered whole", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(1);
    const value = Buffer.alloc(999_900, "x");
    await kafka.write([{ topic, key: null, value }]);
    await using consumer = startConsumer(env);
    await until("committed", async () => (await kafka.committed(env)) === 1);
    expect(await consumer.stop()).toBe(0);
    const [deadLetter] = await kafka.read(`${topic}.dead-letter`);
    expect(deadLetter?.value?.equals(value)).toBe(true);
  }, 60_000);

  test("an event whose handler fails is retried, then dead-lettered; the others are handled in order", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(2);
    const receiver = startReceiver((id) => (id === "e3" ? 500 : id === "e5" ? 422 : 200));
    await kafka.write(eventRecords(topic, 20).map((record) => ({ ...record, key: "same user" })));
    await using consumer = startConsumer({
      ...env,
      ...quickRetries,
      CONSUMER_HANDLER: "webhook",
      WEBHOOK_URL: receiver.url,
      CONSUMER_CONCURRENCY: "8",
    });
    await until("all committed", async () => (await kafka.committed(env)) === 20);
    expect(await consumer.stop()).toBe(0);
    await receiver.stop();
    expect(receiver.requested.filter((id) => id === "e3")).toHaveLength(3);
    expect(receiver.requested.filter((id) => id === "e5")).toHaveLength(1);
    expect(receiver.handled).toEqual(
      Array.from({ length: 20 }, (_, i) => `e${i}`).filter((id) => id !== "e3" && id !== "e5"),
    );
    const deadLetters = await kafka.read(`${topic}.dead-letter`);
    expect(deadLetters.map((deadLetter) => headersOf(deadLetter)["dead-letter-tries"]).sort()).toEqual([
      "1",
      "3",
    ]);
    expect(headersOf(deadLetters[0]!)).toMatchObject({
      "dead-letter-reason": "handler_failed",
      "dead-letter-cause": expect.stringContaining("the receiver's reason"),
    });
  }, 60_000);

  test("without a dead-letter topic no event is skipped: it is retried until it is handled", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(1);
    let tries = 0;
    const receiver = startReceiver((id) => (id === "e0" && ++tries < 10 ? 503 : 200));
    await kafka.write([{ topic, key: null, value: Buffer.from("nonsense") }, ...eventRecords(topic, 3)]);
    await using consumer = startConsumer({
      ...env,
      ...quickRetries,
      DEAD_LETTER_TOPIC: "off",
      CONSUMER_HANDLER: "webhook",
      WEBHOOK_URL: receiver.url,
    });
    await until("all committed", async () => (await kafka.committed(env)) === 4);
    expect(receiver.handled).toEqual(["e0", "e1", "e2"]);
    expect(await consumer.metric("ingest_consumer_dropped_total")).toBe(1);
    expect(await consumer.stop()).toBe(0);
    await receiver.stop();
    expect(await kafka.admin.listTopics()).not.toContain(`${topic}.dead-letter`);
  }, 60_000);
});

/** Headers that an object can't hold: a repeated name, a null value, the name of an object's prototype. */
function headersOfRecord(i: number): [name: string, value: string | null][] {
  return [
    ["trace", `t${i}`],
    ["trace", "again"],
    ["null", null],
    ["empty", ""],
    ["__proto__", "p"],
  ];
}

describe("replay", () => {
  test("writes dead letters back unchanged, each once, and they are handled", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(3);
    let isBroken = true;
    const receiver = startReceiver(() => (isBroken ? 422 : 200));
    const records = eventRecords(topic, 50).map((record, i) => ({
      ...record,
      headers: headersOfRecord(i),
      timestampMs: 1_700_000_000_000 + i,
    }));
    await kafka.write(records);
    const webhook = { ...env, CONSUMER_HANDLER: "webhook", WEBHOOK_URL: receiver.url };
    await using consumer = startConsumer(webhook);
    await until(
      "all dead-lettered",
      async () => (await consumer.metric("ingest_consumer_dead_letters_total")) === 50,
    );
    isBroken = false;

    // A dry run changes nothing.
    await using dry = startReplay(env, ["--dry-run"]);
    expect(await dry.exited).toBe(0);
    expect(dry.textLines.at(-1)).toBe(`would replay 50, skipped 0, from ${topic}.dead-letter to ${topic}`);
    expect(await kafka.read(topic)).toHaveLength(50);

    // Some of them, then the rest, then none is left.
    for (const [args, count] of [
      [["--limit", "20"], 20],
      [[], 30],
      [[], 0],
    ] as const) {
      await using run = startReplay(env, [...args]);
      expect({ code: await run.exited, errors: run.stderr }).toEqual({ code: 0, errors: "" });
      expect(run.textLines.at(-1)).toBe(
        `replayed ${count}, skipped 0, from ${topic}.dead-letter to ${topic}`,
      );
    }
    await until("all handled", () => receiver.handled.length >= 50);
    expect(new Set(receiver.handled).size).toBe(50);
    // Transaction markers occupy offsets at the end of each partition, which is no lag.
    await until("no lag", async () => (await consumer.metric("ingest_consumer_lag")) === 0);
    // They are committed too, so nobody sees one from outside.
    const ends = await kafka.admin.offsets(topic);
    const end = ends.reduce((sum, { high }) => sum + high, 0);
    await until("the markers committed", async () => (await kafka.committed(env)) === end);
    expect(await consumer.stop()).toBe(0);
    await receiver.stop();

    const all = await kafka.read(topic);
    expect(all).toHaveLength(100);
    const again = all.slice().sort((a, b) => a.timestampMs - b.timestampMs);
    for (let i = 0; i < 50; i++) {
      const [one, other] = [again[2 * i]!, again[2 * i + 1]!];
      expect(one.value).toEqual(other.value!);
      expect(one.key).toEqual(other.key!);
      expect(one.partition).toBe(other.partition);
      for (const { headers } of [one, other])
        expect(headers.map(([name, content]) => [name, content?.toString() ?? null])).toEqual(
          headersOfRecord(i),
        );
    }
  }, 120_000);

  test("after SIGKILL the next run continues without repeating a dead letter", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(2);
    const deadLetters = Array.from({ length: 3_000 }, (_, i) => ({
      topic: `${topic}.dead-letter`,
      key: `k${i % 7}`,
      value: Buffer.from(JSON.stringify({ event_id: `e${i}`, timestamp: 1, event_type: "t" })),
      headers: [["dead-letter-original-topic", topic] as const],
    }));
    await kafka.admin.ensureTopic({ topic: `${topic}.dead-letter`, partitions: 2, replicationFactor: 1 });
    await kafka.write(deadLetters);
    // The group reassigns a killed member's partitions once its session has expired.
    const quick = { ...env, KAFKA_SESSION_TIMEOUT_MS: "6000", KAFKA_HEARTBEAT_INTERVAL_MS: "1000" };
    await using first = startReplay(quick);
    await until("some replayed", () => first.textLines.length > 300);
    first.kill("SIGKILL");
    await first.exited;
    await using second = startReplay(quick);
    expect({ code: await second.exited, errors: second.stderr }).toEqual({ code: 0, errors: "" });
    expect(first.textLines.length + second.textLines.length).toBeGreaterThan(3_000 - 500);
    const ids = (await kafka.read(topic)).map(({ value }) => JSON.parse(value!.toString()).event_id);
    expect(ids).toHaveLength(3_000);
    expect(
      missingOf(
        ids.map((event_id) => ({ level: "", message: "", event_id })),
        3_000,
      ),
    ).toEqual([]);
  }, 120_000);

  // Fault: the run ended once it had read the partitions of its first assignment, and left the dead letters of those that
  // were assigned later, when another member gave them up.
  test("reads every partition, also those that are assigned later", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(1);
    const to = `${topic}.dead-letter`;
    await kafka.admin.ensureTopic({ topic: to, partitions: 4, replicationFactor: 1 });
    await kafka.write(
      Array.from({ length: 40 }, (_, i) => ({
        topic: to,
        partition: i % 4,
        key: null,
        value: Buffer.from(JSON.stringify({ event_id: `e${i}`, timestamp: 1, event_type: "t" })),
        headers: [["dead-letter-original-topic", topic]],
      })),
    );
    const former = { ...env, KAFKA_GROUP_ID: `${env.KAFKA_GROUP_ID}.replay` };
    let held = 0;
    const holder = createConsumer({
      config: toClientConfig(parseSettings(consumerSettings, former), "consumer"),
      onAssigned: (partitions) => {
        held += partitions.length;
      },
      onRevoked: (partitions) => {
        held -= partitions.length;
      },
    });
    await holder.connect(20_000);
    holder.subscribe([to]);
    let isHolding = true;
    const holding = (async () => {
      while (isHolding) await holder.fetch(100, 100);
    })();
    await until("all held", () => held === 4, 60_000);
    await using run = startReplay(env);
    await until("half of them replayed", () => run.textLines.length >= 20, 60_000);
    isHolding = false;
    await holding;
    await holder.close(10_000);
    expect({ code: await run.exited, errors: run.stderr }).toEqual({ code: 0, errors: "" });
    expect(run.textLines.at(-1)).toBe(`replayed 40, skipped 0, from ${to} to ${topic}`);
  }, 120_000);

  // Fault: the replay's group inherited auto.offset.reset from the events' group, and "latest" left it nothing to replay.
  test("begins with the first dead letter, whatever KAFKA_AUTO_OFFSET_RESET is", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(1);
    const to = `${topic}.dead-letter`;
    await kafka.admin.ensureTopic({ topic: to, partitions: 1, replicationFactor: 1 });
    const value = Buffer.from(JSON.stringify({ event_id: "e", timestamp: 1, event_type: "t" }));
    await kafka.write([{ topic: to, key: null, value, headers: [["dead-letter-original-topic", topic]] }]);
    await using run = startReplay({ ...env, KAFKA_AUTO_OFFSET_RESET: "latest" });
    expect(await run.exited).toBe(0);
    expect(run.textLines.at(-1)).toBe(`replayed 1, skipped 0, from ${to} to ${topic}`);
  }, 60_000);

  test("skips records that are not dead letters of this topic, and reports each", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(1);
    const to = `${topic}.dead-letter`;
    await kafka.admin.ensureTopic({ topic: to, partitions: 1, replicationFactor: 1 });
    await kafka.write([
      { topic: to, key: null, value: Buffer.from("1") },
      { topic: to, key: null, value: Buffer.from("2"), headers: [["dead-letter-original-topic", "other"]] },
      { topic: to, key: null, value: null, headers: [["dead-letter-original-topic", topic]] },
    ]);
    await using run = startReplay(env);
    expect(await run.exited).toBe(0);
    expect(run.textLines).toEqual([
      `${to}[0]@0 key none skipped: it has no header dead-letter-original-topic`,
      `${to}[0]@1 key none skipped: it came from topic other`,
      `${to}[0]@2 key none skipped: it has no value`,
      `replayed 0, skipped 3, from ${to} to ${topic}`,
    ]);
    expect(await kafka.read(topic)).toEqual([]);
  }, 60_000);

  test("rejects invalid options", async () => {
    await using run = startReplay({}, ["--limit", "some"]);
    expect(await run.exited).toBe(2);
    expect(run.stderr).toContain('--limit must be a whole number from 1, got "some"');
  }, 30_000);
});
