// The outbox against librdkafka's mock cluster: every record it takes has one outcome, whatever happens.
import { afterEach, expect, test } from "bun:test";
import { createRequire } from "node:module";
import type { Metadata, Producer } from "@confluentinc/kafka-javascript";
import { until } from "@ingest/testkit";

const require = createRequire(import.meta.url);
const client = require("@confluentinc/kafka-javascript");
const { Outbox } = require("@confluentinc/kafka-javascript/build/Release/confluent-kafka-javascript.node");

const NO_KEY = 0xffffffff;
const QUEUE_FULL = -184;
const MESSAGE_TIMED_OUT = -192;
const PURGED_UNSENT = -152;
const TOO_LARGE = 10;

interface NativeOutbox {
  open(topic: string): void;
  produce(slab: Buffer, spans: Buffer, count: number): number;
  produceOne(
    topic: string,
    partition: number,
    key: Buffer | null,
    value: Buffer | null,
    timestamp: number,
    token: number,
    headers?: unknown[],
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

class Fixture {
  readonly outcomes: Outcome[] = [];
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
    return metadata;
  }

  produce(records: { key?: string; value: string; token?: number }[]) {
    const spans = new Uint32Array(records.length * 4);
    const parts: Buffer[] = [];
    records.forEach(({ key, value, token = 0 }, i) => {
      if (key !== undefined) parts.push(Buffer.from(key));
      parts.push(Buffer.from(value));
      spans[i * 4] = key === undefined ? NO_KEY : Buffer.byteLength(key);
      spans[i * 4 + 1] = Buffer.byteLength(value);
      spans[i * 4 + 2] = token;
    });
    const refused = this.outbox.produce(Buffer.concat(parts), Buffer.from(spans.buffer), records.length);
    return { refused, errors: records.map((_, i) => (refused ? (spans[i * 4 + 3] as number) | 0 : 0)) };
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
    outbox.produceOne("other", -1, null, null, 0, 2, [
      "name",
      Buffer.from("content"),
      "empty",
      Buffer.alloc(0),
      "null",
      null,
    ]),
  ).toBe(0);
  const f = fixture;
  await until("two outcomes", () => f.outcomes.length === 2);
  expect(f.tokens()).toEqual([1, 2]);
  expect(f.outcomes.every(({ error }) => error === 0)).toBe(true);
  expect(f.outcomes.find(({ token }) => token === 1)?.partition).toBe(3);
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
  expect(() => outbox.produce(Buffer.alloc(1), Buffer.alloc(16), 1)).toThrow("not open");
  expect(() => outbox.open("t")).toThrow("Connect the producer");
  await fixture.connect();
  expect(() => outbox.open("t")).toThrow("open already");
  expect(() => new Outbox(producer.getClient(), () => {})).toThrow("before its producer connects");
  expect(() => outbox.produce(Buffer.alloc(1), Buffer.alloc(16), 2)).toThrow("too short for count");
  expect(() => fixture?.produce([])).not.toThrow();
  const spans = Buffer.from(new Uint32Array([NO_KEY, 100, 0, 0]).buffer);
  expect(() => outbox.produce(Buffer.alloc(1), spans, 1)).toThrow("past the slab");
  expect(() => outbox.produceOne("t", -1, null, Buffer.from("v"), 0, 1, [1, 2])).toThrow("headers must be");
  expect(() => outbox.takeOutcomes("text" as never)).toThrow("takes a buffer");
  expect(() => outbox.produce("text" as never, spans, 1)).toThrow("two buffers");
  outbox.close();
  outbox.close();
  expect(() => outbox.produce(Buffer.alloc(1), Buffer.alloc(16), 1)).toThrow("not open");
});

test("outboxes and producers go with the garbage collector", async () => {
  for (let i = 0; i < 20; i++) {
    const f = new Fixture();
    if (i % 2) await f.connect();
    await f.end().catch(() => {});
    Bun.gc(true);
  }
});
