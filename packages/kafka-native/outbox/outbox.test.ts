// The outbox against librdkafka's mock cluster: every record it takes is counted once, failures come back whole.
import { afterEach, expect, test } from "bun:test";
import { createRequire } from "node:module";
import type { Metadata, Producer } from "@confluentinc/kafka-javascript";

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
  readCounts(counts: Buffer): void;
  takeOutcomes(): [Buffer, (Buffer | null)[]];
  close(): void;
}

interface Outcome {
  token: number;
  error: number;
  partition: number;
  offset: number;
}

class Fixture {
  readonly counts = new Float64Array(3);
  readonly outcomes: Outcome[] = [];
  readonly returned: (Buffer | null)[] = [];
  readonly outbox: NativeOutbox;
  readonly producer: Producer;

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
    const [packed, returned] = this.outbox.takeOutcomes();
    this.returned.push(...returned);
    for (let at = 0; at < packed.length; at += 24) {
      this.outcomes.push({
        token: packed.readUInt32LE(at),
        error: packed.readInt32LE(at + 4),
        partition: packed.readInt32LE(at + 8),
        offset: packed.readDoubleLE(at + 16),
      });
    }
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
    const spans = new Uint32Array(records.length * 3);
    const parts: Buffer[] = [];
    records.forEach(({ key, value, token = 0 }, i) => {
      if (key !== undefined) parts.push(Buffer.from(key));
      parts.push(Buffer.from(value));
      spans[i * 3] = key === undefined ? NO_KEY : Buffer.byteLength(key);
      spans[i * 3 + 1] = Buffer.byteLength(value);
      spans[i * 3 + 2] = token;
    });
    const refused = this.outbox.produce(Buffer.concat(parts), Buffer.from(spans.buffer), records.length);
    return { refused, errors: records.map((_, i) => (refused ? (spans[i * 3 + 2] as number) | 0 : 0)) };
  }

  get settled() {
    this.outbox.readCounts(Buffer.from(this.counts.buffer));
    return this.counts[0] as number;
  }

  async until(condition: () => boolean, what: string) {
    const deadline = Date.now() + 15_000;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`timed out waiting for ${what}`);
      await Bun.sleep(5);
    }
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

test("every record is settled once, without a token nothing else is said", async () => {
  fixture = new Fixture();
  await fixture.connect();
  const records = Array.from({ length: 500 }, (_, i) => ({ key: `k${i}`, value: `value ${i}` }));
  for (let round = 0; round < 10; round++) expect(fixture.produce(records).refused).toBe(0);
  const f = fixture;
  await f.until(() => f.settled === 5_000, "5,000 records");
  const bytes = records.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
  expect([...f.counts]).toEqual([5_000, 10 * bytes, 0]);
  expect(f.outcomes).toEqual([]);
});

test("a record with a token tells where it was stored", async () => {
  fixture = new Fixture();
  await fixture.connect();
  fixture.produce([
    { key: "same", value: "a", token: 7 },
    { value: "none" },
    { key: "same", value: "b", token: 4_294_967_295 },
  ]);
  const f = fixture;
  await f.until(() => f.outcomes.length === 2, "two outcomes");
  expect(f.outcomes.map((o) => o.token).sort()).toEqual([4_294_967_295, 7]);
  expect(f.outcomes.every((o) => o.error === 0 && o.offset >= 0 && o.partition >= 0)).toBe(true);
  expect(f.returned).toEqual([]);
});

test("a full queue refuses the rest and says so for each; what was taken is settled", async () => {
  fixture = new Fixture({ "queue.buffering.max.messages": 10, "linger.ms": 200 });
  await fixture.connect();
  const { refused, errors } = fixture.produce(Array.from({ length: 25 }, (_, i) => ({ value: `${i}` })));
  expect(refused).toBe(15);
  expect(errors).toEqual([...Array(10).fill(0), ...Array(15).fill(QUEUE_FULL)]);
  const f = fixture;
  await f.until(() => f.settled === 10, "ten records");
  expect(f.settled).toBe(10);
});

test("a record that is too large is refused alone", async () => {
  fixture = new Fixture({ "message.max.bytes": 1_000 });
  await fixture.connect();
  const { refused, errors } = fixture.produce([{ value: "a" }, { value: "x".repeat(2_000) }, { value: "b" }]);
  expect([refused, errors]).toEqual([1, [0, TOO_LARGE, 0]]);
});

test("a failed record comes back whole, in order, with its reason", async () => {
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
  f.produce([{ value: "while the cluster is there" }]);
  await f.until(() => f.settled === 1, "the first record");
  await cluster.end();
  expect(
    f.produce([
      { key: "ключ", value: "значение" },
      { value: "", token: 9 },
    ]).refused,
  ).toBe(0);
  await f.until(() => f.outcomes.length === 2, "two failures");
  expect(f.outcomes.map(({ error }) => error)).toEqual([MESSAGE_TIMED_OUT, MESSAGE_TIMED_OUT]);
  expect(f.outcomes.map(({ token }) => token).sort()).toEqual([0, 9]);
  const keyed = f.outcomes.findIndex(({ token }) => token === 0);
  const texts = f.returned.map((bytes) => bytes?.toString() ?? null);
  expect(texts.slice(2 * keyed, 2 * keyed + 2)).toEqual(["ключ", "значение"]);
  expect(texts.slice(2 - 2 * keyed, 4 - 2 * keyed)).toEqual([null, ""]);
  expect([f.settled, f.counts[2]]).toEqual([3, 2]);
});

test("what is still queued when the client goes comes back too", async () => {
  const f = new Fixture({ "linger.ms": 60_000, "batch.num.messages": 1_000_000 });
  await f.connect();
  f.produce(Array.from({ length: 100 }, (_, i) => ({ key: "k", value: `v${i}` })));
  f.outbox.close();
  // The native disconnect, without the flush that the JavaScript one does first.
  await new Promise<void>((resolve) => f.producer.getClient().disconnect(() => resolve()));
  f.take();
  expect(f.outcomes.length).toBe(100);
  expect(new Set(f.outcomes.map((o) => o.error))).toEqual(new Set([PURGED_UNSENT]));
  expect(f.returned.filter((_, i) => i % 2 === 1).map(String)).toEqual(
    Array.from({ length: 100 }, (_, i) => `v${i}`),
  );
  expect(f.settled).toBe(100);
});

test("records of Confluent's own produce are none of the outbox's", async () => {
  fixture = new Fixture();
  await fixture.connect();
  fixture.producer.produce("t", null, Buffer.from("v"), "k", Date.now(), { opaque: true });
  fixture.produce([{ value: "mine" }]);
  await new Promise<void>((resolve) => fixture?.producer.flush(5_000, () => resolve()));
  expect(fixture.settled).toBe(1);
});

test("misuse is an error, never a crash", async () => {
  expect(() => new Outbox()).toThrow("takes a native producer");
  expect(() => new Outbox({}, () => {})).toThrow("Illegal invocation");
  expect(() => Outbox()).toThrow();
  fixture = new Fixture();
  const { outbox, producer } = fixture;
  expect(() => outbox.produce(Buffer.alloc(1), Buffer.alloc(12), 1)).toThrow("not open");
  expect(() => outbox.open("t")).toThrow("after the producer has connected");
  await fixture.connect();
  expect(() => outbox.open("t")).toThrow("open already");
  expect(() => new Outbox(producer.getClient(), () => {})).toThrow("before its producer connects");
  expect(() => outbox.produce(Buffer.alloc(1), Buffer.alloc(12), 2)).toThrow("shorter than count");
  expect(() => fixture?.produce([])).not.toThrow();
  const spans = Buffer.from(new Uint32Array([NO_KEY, 100, 0]).buffer);
  expect(() => outbox.produce(Buffer.alloc(1), spans, 1)).toThrow("past the slab");
  // @ts-expect-error: what a caller in JavaScript could do
  expect(() => outbox.produce("text", spans, 1)).toThrow("two buffers");
  outbox.close();
  outbox.close();
  expect(() => outbox.produce(Buffer.alloc(1), Buffer.alloc(12), 1)).toThrow("not open");
});

test("outboxes and producers go with the garbage collector", async () => {
  for (let i = 0; i < 20; i++) {
    const f = new Fixture();
    if (i % 2) await f.connect();
    await f.end().catch(() => {});
    Bun.gc(true);
  }
});
