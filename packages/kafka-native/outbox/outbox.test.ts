// The outbox against librdkafka's mock cluster: every record it takes has one outcome, whatever happens.
import { afterEach, expect, test } from "bun:test";
import { createRequire } from "node:module";
import type { Message, Metadata, Producer } from "@confluentinc/kafka-javascript";
import { until } from "@ingest/testkit";

const require = createRequire(import.meta.url);
const client = require("@confluentinc/kafka-javascript");
const { Outbox } = require("@confluentinc/kafka-javascript/build/Release/confluent-kafka-javascript.node");

const NO_KEY = 0xffffffff;
const SPAN_WORDS = 6;
const QUEUE_FULL = -184;
const MESSAGE_TIMED_OUT = -192;
const PURGED_UNSENT = -152;
const TOO_LARGE = 10;
const INVALID_ARGUMENT = -186;

interface NativeOutbox {
  open(topic: string, settings?: string[]): number;
  produce(slab: Buffer, spans: Buffer, count: number): number;
  produceOne(
    topic: string,
    partition: number,
    key: Buffer | null,
    value: Buffer | null,
    timestamp: number,
    token: number,
    headers?: unknown,
  ): number;
  takeOutcomes(into: Buffer): number;
  close(): void;
}

interface Outcome {
  token: number;
  error: number;
  partition: number;
  offset: number;
}

/** A block as outbox.h has it. */
function headerBlock(...headers: [name: string, value: string | null][]): Buffer {
  return Buffer.concat(
    headers.flatMap(([name, value]) => [
      Buffer.from(new Uint32Array([name.length, value?.length ?? NO_KEY]).buffer),
      Buffer.from(name + (value ?? "")),
    ]),
  );
}

class Fixture {
  readonly outcomes: Outcome[] = [];
  brokers: Metadata["brokers"] = [];
  readonly outbox: NativeOutbox;
  readonly producer: Producer;
  /** Smaller than a burst of outcomes, so that several calls are needed to take them. */
  readonly #into = Buffer.alloc(24 * 7);

  constructor(config: Record<string, unknown> = {}) {
    this.producer = new client.Producer({
      "test.mock.num.brokers": 1,
      "bootstrap.servers": "mock",
      "linger.ms": 1,
      "delivery.report.only.error": true,
      ...config,
    });
    this.outbox = new Outbox(this.producer.getClient(), () => this.take());
  }

  take() {
    let count: number;
    do {
      count = this.outbox.takeOutcomes(this.#into);
      for (let at = 0; at < count * 24; at += 24) {
        this.outcomes.push({
          token: this.#into.readUInt32LE(at),
          error: this.#into.readInt32LE(at + 4),
          partition: this.#into.readInt32LE(at + 8),
          offset: this.#into.readDoubleLE(at + 16),
        });
      }
    } while (count === 7);
  }

  async connect(topic = "t") {
    const metadata = await new Promise<Metadata>((resolve, reject) =>
      this.producer.connect({}, (error, metadata) => (error ? reject(error) : resolve(metadata))),
    );
    this.producer.setPollInBackground(true);
    this.outbox.open(topic);
    this.brokers = metadata.brokers;
    return metadata;
  }

  produce(records: { topic?: number; key?: string; value: string; headers?: Buffer; token?: number }[]) {
    const spans = new Uint32Array(records.length * SPAN_WORDS);
    const parts: Buffer[] = [];
    records.forEach(({ topic = 0, key, value, headers, token = 0 }, i) => {
      if (key !== undefined) parts.push(Buffer.from(key));
      parts.push(Buffer.from(value));
      if (headers) parts.push(headers);
      const keyBytes = key === undefined ? NO_KEY : Buffer.byteLength(key);
      spans.set([topic, keyBytes, Buffer.byteLength(value), headers?.length ?? 0, token], i * SPAN_WORDS);
    });
    const refused = this.outbox.produce(Buffer.concat(parts), Buffer.from(spans.buffer), records.length);
    const errors = records.map((_, i) => (refused ? spans[i * SPAN_WORDS + 5]! | 0 : 0));
    return { refused, errors };
  }

  /** The records of a topic, by Confluent's own consumer. */
  async read(topic: string, count: number): Promise<Message[]> {
    const servers = this.brokers.map(({ host, port }) => `${host}:${port}`).join();
    const config = { "bootstrap.servers": servers, "group.id": "outbox-test" };
    const consumer = new client.KafkaConsumer(config, { "auto.offset.reset": "earliest" });
    await new Promise<void>((resolve, reject) =>
      consumer.connect({}, (error: Error | null) => (error ? reject(error) : resolve())),
    );
    const read: Message[] = [];
    // The mock cluster gives a topic four partitions.
    consumer.assign([0, 1, 2, 3].map((partition) => ({ topic, partition, offset: 0 })));
    await until(`${count} records of ${topic}`, async () => {
      const { promise, resolve } = Promise.withResolvers<Message[]>();
      consumer.consume(count, (_: unknown, messages: Message[] | undefined) => resolve(messages ?? []));
      read.push(...(await promise));
      return read.length >= count;
    });
    await new Promise<void>((resolve) => consumer.disconnect(() => resolve()));
    return read;
  }

  tokens() {
    return this.outcomes.map(({ token }) => token).sort((a, b) => a - b);
  }

  async end() {
    this.outbox.close();
    await new Promise<void>((resolve) => this.producer.disconnect(100, () => resolve()));
  }
}

let fixture: Fixture | undefined;
afterEach(async () => {
  await fixture?.end();
  fixture = undefined;
});

test("every record has one outcome, with its place in the topic", async () => {
  fixture = new Fixture();
  await fixture.connect();
  for (let round = 0; round < 10; round++) {
    const records = Array.from({ length: 500 }, (_, i) => ({
      key: "same",
      value: `${i}`,
      token: round * 500 + i,
    }));
    expect(fixture.produce(records).refused).toBe(0);
  }
  const f = fixture;
  await until("5,000 outcomes", () => f.outcomes.length >= 5_000);
  // One key, one partition: records arrive in the order in which they were handed over.
  const byOffset = f.outcomes.sort((a, b) => a.offset - b.offset);
  expect(byOffset.map(({ token }) => token)).toEqual(Array.from({ length: 5_000 }, (_, i) => i));
  expect(byOffset.map(({ offset }) => offset)).toEqual(Array.from({ length: 5_000 }, (_, i) => i));
  expect(new Set(f.outcomes.map(({ error, partition }) => `${error} ${partition}`)).size).toBe(1);
});

test("tokens come back unchanged", async () => {
  fixture = new Fixture();
  await fixture.connect();
  fixture.produce([
    { value: "", token: 0 },
    { key: "", value: "none", token: 4_294_967_295 },
  ]);
  const f = fixture;
  await until("two outcomes", () => f.outcomes.length === 2);
  expect(f.tokens()).toEqual([0, 4_294_967_295]);
});

test("one record with a topic, a time and headers of its own", async () => {
  fixture = new Fixture();
  await fixture.connect();
  const { outbox } = fixture;
  expect(outbox.produceOne("other", 3, Buffer.from("k"), Buffer.from("v"), 1_700_000_000_000, 1)).toBe(0);
  expect(
    outbox.produceOne(
      "other",
      -1,
      null,
      null,
      0,
      2,
      headerBlock(["name", "content"], ["empty", ""], ["null", null]),
    ),
  ).toBe(0);
  const f = fixture;
  await until("two outcomes", () => f.outcomes.length === 2);
  expect(f.tokens()).toEqual([1, 2]);
  expect(f.outcomes.every(({ error }) => error === 0)).toBe(true);
  expect(f.outcomes.find(({ token }) => token === 1)?.partition).toBe(3);
});

test("records of several topics, some with headers, keep their order within a topic", async () => {
  fixture = new Fixture();
  await fixture.connect("a");
  expect(fixture.outbox.open("b", ["compression.type", "gzip", "message.timeout.ms", "5000"])).toBe(1);
  expect(() => fixture?.outbox.open("c", ["compression.type", "none at all"])).toThrow("compression");
  const records = Array.from({ length: 300 }, (_, i) => ({
    topic: Number(i % 7 > 3),
    ...(i % 5 === 0 ? {} : { key: "same" }),
    value: `${i}`,
    ...(i % 3 === 0 ? { headers: headerBlock(["n", `${i}`], ["null", null], ["n", ""]) } : {}),
    token: i,
  }));
  expect(fixture.produce(records).refused).toBe(0);
  for (const [index, topic] of ["a", "b"].entries()) {
    const sent = records.filter((record) => record.topic === index);
    const read = await fixture.read(topic, sent.length);
    const keyed = read.filter(({ key }) => key !== null && key !== undefined);
    expect(keyed.map(({ value }) => `${value}`)).toEqual(
      sent.filter(({ key }) => key).map(({ value }) => value),
    );
    for (const { value, headers = [] } of read) {
      const expected = Number(value) % 3 === 0 ? [{ n: `${value}` }, { null: null }, { n: "" }] : [];
      const texts = headers.map((header) =>
        Object.fromEntries(
          Object.entries(header).map(([name, content]) => [name, content === null ? null : `${content}`]),
        ),
      );
      expect(texts).toEqual(expected);
    }
  }
});

test("a malformed block of headers refuses its record alone", async () => {
  fixture = new Fixture();
  await fixture.connect();
  const tooLong = headerBlock(["name", "value"]).subarray(0, -1);
  const { refused, errors } = fixture.produce([
    { value: "a" },
    { value: "b", headers: tooLong },
    { value: "c", headers: Buffer.alloc(7) },
    { value: "d", headers: headerBlock(["name", "value"]) },
  ]);
  expect([refused, errors]).toEqual([2, [0, INVALID_ARGUMENT, INVALID_ARGUMENT, 0]]);
});

test("a full queue rejects the rest, each with an error; accepted records have an outcome", async () => {
  fixture = new Fixture({ "queue.buffering.max.messages": 10, "linger.ms": 200 });
  await fixture.connect();
  const { refused, errors } = fixture.produce(
    Array.from({ length: 25 }, (_, i) => ({ value: `${i}`, token: i })),
  );
  expect(refused).toBe(15);
  expect(errors).toEqual([...Array(10).fill(0), ...Array(15).fill(QUEUE_FULL)]);
  const f = fixture;
  expect(f.outbox.produceOne("t", -1, null, Buffer.from("late"), 0, 99)).toBe(QUEUE_FULL);
  await until("ten outcomes", () => f.outcomes.length >= 10);
  expect(f.tokens()).toEqual(Array.from({ length: 10 }, (_, i) => i));
});

test("a record that is too large is refused alone", async () => {
  fixture = new Fixture({ "message.max.bytes": 1_000 });
  await fixture.connect();
  const { refused, errors } = fixture.produce([{ value: "a" }, { value: "x".repeat(2_000) }, { value: "b" }]);
  expect([refused, errors]).toEqual([1, [0, TOO_LARGE, 0]]);
});

test("records that can't be delivered fail, each with its reason", async () => {
  const cluster = new Fixture();
  const { brokers } = await cluster.connect();
  fixture = new Fixture({
    "test.mock.num.brokers": 0,
    "bootstrap.servers": `${brokers[0]?.host}:${brokers[0]?.port}`,
    "message.timeout.ms": 300,
  });
  const f = fixture;
  f.producer.on("event.error", () => {});
  await f.connect();
  f.produce([{ value: "while the cluster is there", token: 1 }]);
  await until("the first outcome", () => f.outcomes.length === 1);
  await cluster.end();
  f.produce([{ value: "a", token: 2 }]);
  f.outbox.produceOne("t", -1, null, Buffer.from("b"), 0, 3);
  await until("two failures", () => f.outcomes.length === 3);
  expect(f.outcomes.map(({ token, error }) => [token, error]).sort()).toEqual([
    [1, 0],
    [2, MESSAGE_TIMED_OUT],
    [3, MESSAGE_TIMED_OUT],
  ]);
});

test("records that are still queued when the client disconnects have an outcome too", async () => {
  const f = new Fixture({ "linger.ms": 60_000, "batch.num.messages": 1_000_000 });
  await f.connect();
  f.produce(Array.from({ length: 100 }, (_, i) => ({ key: "k", value: `v${i}`, token: i })));
  f.outbox.close();
  // The native disconnect, without the flush that the JavaScript one does first.
  await new Promise<void>((resolve) => f.producer.getClient().disconnect(() => resolve()));
  f.take();
  expect(f.tokens()).toEqual(Array.from({ length: 100 }, (_, i) => i));
  expect(new Set(f.outcomes.map(({ error }) => error))).toEqual(new Set([PURGED_UNSENT]));
});

test("records of Confluent's own produce have no outcome in the outbox", async () => {
  fixture = new Fixture();
  await fixture.connect();
  fixture.producer.produce("t", null, Buffer.from("v"), "k", Date.now());
  fixture.produce([{ value: "mine", token: 5 }]);
  const f = fixture;
  await new Promise<void>((resolve) => f.producer.flush(5_000, () => resolve()));
  await until("the outcome", () => f.outcomes.length > 0);
  expect(f.tokens()).toEqual([5]);
});

test("misuse is an error, never a crash", async () => {
  expect(() => new Outbox()).toThrow("takes a native producer");
  expect(() => new Outbox({}, () => {})).toThrow("Illegal invocation");
  expect(() => Outbox()).toThrow();
  fixture = new Fixture();
  const { outbox, producer } = fixture;
  expect(() => outbox.produce(Buffer.alloc(1), Buffer.alloc(24), 1)).toThrow("not open");
  expect(() => outbox.open("t")).toThrow("Connect the producer");
  await fixture.connect();
  expect(() => new Outbox(producer.getClient(), () => {})).toThrow("before its producer connects");
  expect(() => outbox.produce(Buffer.alloc(1), Buffer.alloc(24), 2)).toThrow("too short for count");
  expect(() => fixture?.produce([])).not.toThrow();
  const spans = Buffer.from(new Uint32Array([0, NO_KEY, 100, 0, 0, 0]).buffer);
  expect(() => outbox.produce(Buffer.alloc(1), spans, 1)).toThrow("past the slab");
  expect(() => outbox.produceOne("t", -1, null, Buffer.from("v"), 0, 1, [1, 2])).toThrow("headers must be");
  expect(() => outbox.produceOne("t", -1, null, Buffer.from("v"), 0, 1, Buffer.alloc(1))).toThrow(
    "headers must be",
  );
  expect(() => outbox.takeOutcomes("text" as never)).toThrow("takes a buffer");
  expect(() => outbox.produce("text" as never, spans, 1)).toThrow("two buffers");
  outbox.close();
  outbox.close();
  expect(() => outbox.produce(Buffer.alloc(1), Buffer.alloc(24), 1)).toThrow("not open");
});

test("outboxes and producers go with the garbage collector", async () => {
  for (let i = 0; i < 20; i++) {
    const f = new Fixture();
    if (i % 2) await f.connect();
    await f.end().catch(() => {});
    Bun.gc(true);
  }
});
