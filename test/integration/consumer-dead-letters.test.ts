// What can't be handled, on a real broker: into the dead-letter topic, and back.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { sharedBroker } from "@ingest/broker";
import { type ConsumedRecord, consumerSettings, createConsumer, toClientConfig } from "@ingest/kafka";
import { parseSettings } from "@ingest/service";
import { until } from "@ingest/testkit";
import { ConsumerTest, eventRecord, eventRecords, missingOf } from "./consumer-fixture.ts";

let kafka: ConsumerTest;
beforeAll(async () => {
  kafka = await ConsumerTest.connect((await sharedBroker()).bootstrapServers);
}, 120_000);
afterEach(() => kafka.endProcesses());
afterAll(() => kafka.close());

/** A URL that refuses what it is told to, and remembers what it took. */
function startReceiver(statusOf: (id: string) => number) {
  const taken: string[] = [];
  const asked: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { event_id } = (await request.json()) as { event_id: string };
      asked.push(event_id);
      const status = statusOf(event_id);
      if (status < 300) taken.push(event_id);
      return new Response("receiver's words", { status });
    },
  });
  return { taken, asked, url: server.url.href, stop: () => server.stop(true) };
}

const quickRetries = { RETRY_BACKOFF_MS: "5", RETRY_BACKOFF_MAX_MS: "20", RETRY_MAX_TRIES: "3" };

function headersOf(record: ConsumedRecord): Record<string, string> {
  return Object.fromEntries(Object.entries(record.headers).map(([name, value]) => [name, value.toString()]));
}

describe("dead letters", () => {
  test("a record that is not an event is logged with its offset, counted and dead-lettered, and nothing stops", async () => {
    const { topic, env } = await kafka.topic(1);
    await kafka.write([
      eventRecord(topic, 0),
      { topic, key: "k", value: Buffer.from("{not json"), headers: { trace: "abc" }, timestampMs: 1_234 },
      { topic, key: null, value: null },
      { topic, key: null, value: Buffer.from([0xc3, 0x28]) },
      { topic, key: null, value: Buffer.from('{"event_type":"x","event_id":"a"}') },
      eventRecord(topic, 1),
    ]);
    const consumer = kafka.start(env);
    await until("all committed", async () => (await kafka.committed(env)) === 6);
    expect(consumer.events.map(({ event_id }) => event_id)).toEqual(["e0", "e1"]);
    const logged = consumer.lines.filter(({ message }) => message === "record is not an event");
    expect(logged.map(({ level, partition, offset }) => ({ level, partition, offset }))).toEqual(
      [1, 2, 3, 4].map((offset) => ({ level: "warn", partition: 0, offset })),
    );
    expect(await consumer.figure("ingest_consumer_not_an_event_total")).toBe(4);
    expect(await consumer.figure("ingest_consumer_dead_letters_total")).toBe(4);
    expect(await consumer.stop()).toBe(0);

    const letters = await kafka.read(`${topic}.dead-letter`);
    expect(letters).toHaveLength(4);
    const first = letters.find(({ key }) => key?.toString() === "k")!;
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

  test("a record at the size limit goes there whole", async () => {
    const { topic, env } = await kafka.topic(1);
    const value = Buffer.alloc(999_900, "x");
    await kafka.write([{ topic, key: null, value }]);
    const consumer = kafka.start(env);
    await until("committed", async () => (await kafka.committed(env)) === 1);
    expect(await consumer.stop()).toBe(0);
    const [letter] = await kafka.read(`${topic}.dead-letter`);
    expect(letter?.value?.equals(value)).toBe(true);
  }, 60_000);

  test("an event that a handler fails on is tried, then put aside; the others are handled, in order", async () => {
    const { topic, env } = await kafka.topic(2);
    const receiver = startReceiver((id) => (id === "e3" ? 500 : id === "e5" ? 422 : 200));
    await kafka.write(eventRecords(topic, 20).map((record) => ({ ...record, key: "same user" })));
    const consumer = kafka.start({
      ...env,
      ...quickRetries,
      CONSUMER_HANDLER: "webhook",
      WEBHOOK_URL: receiver.url,
      CONSUMER_CONCURRENCY: "8",
    });
    await until("all committed", async () => (await kafka.committed(env)) === 20);
    expect(await consumer.stop()).toBe(0);
    await receiver.stop();
    expect(receiver.asked.filter((id) => id === "e3")).toHaveLength(3);
    expect(receiver.asked.filter((id) => id === "e5")).toHaveLength(1);
    expect(receiver.taken).toEqual(
      Array.from({ length: 20 }, (_, i) => `e${i}`).filter((id) => id !== "e3" && id !== "e5"),
    );
    const letters = await kafka.read(`${topic}.dead-letter`);
    expect(letters.map((letter) => headersOf(letter)["dead-letter-tries"]).sort()).toEqual(["1", "3"]);
    expect(headersOf(letters[0]!)).toMatchObject({
      "dead-letter-reason": "handler_failed",
      "dead-letter-cause": expect.stringContaining("receiver's words"),
    });
  }, 60_000);

  test("with the topic off, no event is skipped: it is retried until it is handled", async () => {
    const { topic, env } = await kafka.topic(1);
    let tries = 0;
    const receiver = startReceiver((id) => (id === "e0" && ++tries < 10 ? 503 : 200));
    await kafka.write([{ topic, key: null, value: Buffer.from("nonsense") }, ...eventRecords(topic, 3)]);
    const consumer = kafka.start({
      ...env,
      ...quickRetries,
      DEAD_LETTER_TOPIC: "off",
      CONSUMER_HANDLER: "webhook",
      WEBHOOK_URL: receiver.url,
    });
    await until("all committed", async () => (await kafka.committed(env)) === 4);
    expect(receiver.taken).toEqual(["e0", "e1", "e2"]);
    expect(await consumer.figure("ingest_consumer_dropped_total")).toBe(1);
    expect(await consumer.stop()).toBe(0);
    await receiver.stop();
    expect(await kafka.admin.listTopics()).not.toContain(`${topic}.dead-letter`);
  }, 60_000);
});

describe("replay", () => {
  test("writes each original record again, once, and it is handled", async () => {
    const { topic, env } = await kafka.topic(3);
    let isBroken = true;
    const receiver = startReceiver(() => (isBroken ? 422 : 200));
    const records = eventRecords(topic, 50).map((record, i) => ({
      ...record,
      headers: { trace: `t${i}` },
      timestampMs: 1_700_000_000_000 + i,
    }));
    await kafka.write(records);
    const webhook = { ...env, CONSUMER_HANDLER: "webhook", WEBHOOK_URL: receiver.url };
    const consumer = kafka.start(webhook);
    await until(
      "all dead-lettered",
      async () => (await consumer.figure("ingest_consumer_dead_letters_total")) === 50,
    );
    isBroken = false;

    // A dry run changes nothing.
    const dry = kafka.replay(env, ["--dry-run"]);
    expect(await dry.exited()).toBe(0);
    expect(dry.garbled.at(-1)).toBe(`would replay 50, skipped 0, from ${topic}.dead-letter to ${topic}`);
    expect(await kafka.read(topic)).toHaveLength(50);

    // Then some, then the rest, then nothing is left.
    for (const [args, count] of [
      [["--limit", "20"], 20],
      [[], 30],
      [[], 0],
    ] as const) {
      const run = kafka.replay(env, [...args]);
      expect({ code: await run.exited(), errors: run.errors }).toEqual({ code: 0, errors: "" });
      expect(run.garbled.at(-1)).toBe(`replayed ${count}, skipped 0, from ${topic}.dead-letter to ${topic}`);
    }
    await until("all handled", () => receiver.taken.length >= 50);
    expect(new Set(receiver.taken).size).toBe(50);
    // Transaction markers take up offsets at the ends; that is no lag.
    await until("no lag", async () => (await consumer.figure("ingest_consumer_lag")) === 0);
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
      expect(headersOf(one)).toEqual({ trace: `t${i}` });
      expect(headersOf(other)).toEqual({ trace: `t${i}` });
    }
  }, 120_000);

  test("a run after a killed one continues without repeating", async () => {
    const { topic, env } = await kafka.topic(2);
    const letters = Array.from({ length: 3_000 }, (_, i) => ({
      topic: `${topic}.dead-letter`,
      key: `k${i % 7}`,
      value: Buffer.from(JSON.stringify({ event_id: `e${i}`, timestamp: 1, event_type: "t" })),
      headers: { "dead-letter-original-topic": topic },
    }));
    await kafka.admin.ensureTopic({ topic: `${topic}.dead-letter`, partitions: 2, replicationFactor: 1 });
    await kafka.write(letters);
    // The group must notice a killed member before another gets its partitions.
    const quick = { ...env, KAFKA_SESSION_TIMEOUT_MS: "6000", KAFKA_HEARTBEAT_INTERVAL_MS: "1000" };
    const first = kafka.replay(quick, []);
    await until("some replayed", () => first.garbled.length > 300);
    first.signal("SIGKILL");
    await first.exited();
    const second = kafka.replay(quick, []);
    expect({ code: await second.exited(), errors: second.errors }).toEqual({ code: 0, errors: "" });
    expect(first.garbled.length + second.garbled.length).toBeGreaterThan(3_000 - 500);
    const ids = (await kafka.read(topic)).map(({ value }) => JSON.parse(value!.toString()).event_id);
    expect(ids).toHaveLength(3_000);
    expect(
      missingOf(
        ids.map((event_id) => ({ level: "", message: "", event_id })),
        3_000,
      ),
    ).toEqual([]);
  }, 120_000);

  // Fault: it ended after the partitions assigned first, and missed the dead letters of those assigned later, when an
  // earlier replay had released them.
  test("reads every partition, also when assigned later", async () => {
    const { topic, env } = await kafka.topic(1);
    const to = `${topic}.dead-letter`;
    await kafka.admin.ensureTopic({ topic: to, partitions: 4, replicationFactor: 1 });
    await kafka.write(
      Array.from({ length: 40 }, (_, i) => ({
        topic: to,
        partition: i % 4,
        key: null,
        value: Buffer.from(JSON.stringify({ event_id: `e${i}`, timestamp: 1, event_type: "t" })),
        headers: { "dead-letter-original-topic": topic },
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
    const run = kafka.replay(env, []);
    await until("half of them replayed", () => run.garbled.length >= 20, 60_000);
    isHolding = false;
    await holding;
    await holder.close(10_000);
    expect({ code: await run.exited(), errors: run.errors }).toEqual({ code: 0, errors: "" });
    expect(run.garbled.at(-1)).toBe(`replayed 40, skipped 0, from ${to} to ${topic}`);
  }, 120_000);

  // Fault: the replay's group started where the events' group starts. At the end there is nothing to replay.
  test("starts with the first dead letter, even if the events' group starts at the end", async () => {
    const { topic, env } = await kafka.topic(1);
    const to = `${topic}.dead-letter`;
    await kafka.admin.ensureTopic({ topic: to, partitions: 1, replicationFactor: 1 });
    const value = Buffer.from(JSON.stringify({ event_id: "e", timestamp: 1, event_type: "t" }));
    await kafka.write([{ topic: to, key: null, value, headers: { "dead-letter-original-topic": topic } }]);
    const run = kafka.replay({ ...env, KAFKA_AUTO_OFFSET_RESET: "latest" }, []);
    expect(await run.exited()).toBe(0);
    expect(run.garbled.at(-1)).toBe(`replayed 1, skipped 0, from ${to} to ${topic}`);
  }, 60_000);

  test("skips records that are not dead letters of this topic, and names them", async () => {
    const { topic, env } = await kafka.topic(1);
    const to = `${topic}.dead-letter`;
    await kafka.admin.ensureTopic({ topic: to, partitions: 1, replicationFactor: 1 });
    await kafka.write([
      { topic: to, key: null, value: Buffer.from("1") },
      { topic: to, key: null, value: Buffer.from("2"), headers: { "dead-letter-original-topic": "other" } },
      { topic: to, key: null, value: null, headers: { "dead-letter-original-topic": topic } },
    ]);
    const run = kafka.replay(env, []);
    expect(await run.exited()).toBe(0);
    expect(run.garbled).toEqual([
      `${to}[0]@0 key none skipped: it has no header dead-letter-original-topic`,
      `${to}[0]@1 key none skipped: it came from topic other`,
      `${to}[0]@2 key none skipped: it has no value`,
      `replayed 0, skipped 3, from ${to} to ${topic}`,
    ]);
    expect(await kafka.read(topic)).toEqual([]);
  }, 60_000);

  test("refuses an invalid option", async () => {
    const run = kafka.replay({}, ["--limit", "some"]);
    expect(await run.exited()).toBe(2);
    expect(run.errors).toContain('--limit must be a whole number from 1, not "some"');
  }, 30_000);
});
