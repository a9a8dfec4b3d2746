// The client's delivery reports, on a real broker.
import { afterAll, describe, expect, test } from "bun:test";
import { createProducer, type Delivery, type KafkaError } from "@ingest/kafka";
import { KafkaFixture } from "@ingest/testkit/kafka";

const kafka = await KafkaFixture.shared();
afterAll(() => kafka[Symbol.asyncDispose]());

interface Outcome {
  error: KafkaError | null;
  delivery: Delivery;
  context: unknown;
}

describe.each(["none", "gzip", "snappy", "lz4"])("compression %s", (codec) => {
  test("20,000 records are stored once each, each key in order, at the offsets of their delivery reports", async () => {
    const topic = await kafka.createTopic(6);
    const outcomes: Outcome[] = [];
    const producer = createProducer({
      config: kafka.config({ KAFKA_COMPRESSION_TYPE: codec }),
      onOutcome: (error, { partition, offset }, context) =>
        outcomes.push({ error, delivery: { topic, partition, offset }, context }),
    });
    await producer.connect(10_000);
    for (let n = 0; n < 20_000; n++) {
      const record = { topic, key: `user-${n % 97}`, value: Buffer.from(`{"n":${n}}`), context: n };
      while (producer.produce(record) === "full") await Bun.sleep(1);
    }
    expect(await producer.close(30_000)).toEqual({ undelivered: 0 });

    expect(outcomes).toHaveLength(20_000);
    expect(outcomes.filter(({ error }) => error !== null)).toEqual([]);
    const reported = new Map(
      outcomes.map(({ delivery, context }) => [`${delivery.partition}/${delivery.offset}`, context]),
    );
    const records = await kafka.read(topic);
    expect(records).toHaveLength(20_000);
    const lastOfKey = new Map<string, number>();
    for (const { partition, offset, key, value } of records) {
      const { n } = JSON.parse(value!.toString()) as { n: number };
      expect(reported.get(`${partition}/${offset}`)).toBe(n);
      expect(lastOfKey.get(key!.toString()) ?? -1).toBeLessThan(n);
      lastOfKey.set(key!.toString(), n);
    }
    expect(lastOfKey.size).toBe(97);
  }, 60_000);
});

test("a key gets the partition that Kafka's Java clients would choose", async () => {
  const topic = await kafka.createTopic(6);
  const partitionOf = new Map<unknown, number>();
  const producer = createProducer({
    config: kafka.config(),
    onOutcome: (_, { partition }, context) => partitionOf.set(context, partition),
  });
  await producer.connect(10_000);
  const keys = ["user-0", "user-1", "a", "zoë", "01234567890123456789"];
  for (const key of keys) producer.produce({ topic, key, value: null, context: key });
  await producer.close(10_000);
  for (const key of keys) expect([key, partitionOf.get(key)]).toEqual([key, javaPartition(key, 6)]);
});

/** Kafka's default partitioner: murmur2 over the key's bytes, its sign bit cleared, modulo the partitions. */
function javaPartition(key: string, partitions: number): number {
  const data = Buffer.from(key);
  const m = 0x5bd1e995;
  let h = 0x9747b28c ^ data.length;
  const whole = data.length - (data.length % 4);
  for (let i = 0; i < whole; i += 4) {
    let k = Math.imul(data.readInt32LE(i), m);
    k = Math.imul(k ^ (k >>> 24), m);
    h = Math.imul(h, m) ^ k;
  }
  for (let i = data.length - 1; i >= whole; i--) h ^= data[i]! << (8 * (i - whole));
  if (data.length > whole) h = Math.imul(h, m);
  h = Math.imul(h ^ (h >>> 13), m);
  return ((h ^ (h >>> 15)) & 0x7fffffff) % partitions;
}

describe("failures are reported with their reason and context", () => {
  test("a record larger than the topic's max.message.bytes", async () => {
    const topic = await kafka.createTopic(1, { "max.message.bytes": "1000" });
    const outcomes: Outcome[] = [];
    const producer = createProducer({
      config: kafka.config(),
      onOutcome: (error, delivery, context) => outcomes.push({ error, delivery, context }),
    });
    await producer.connect(10_000);
    producer.produce({
      topic,
      key: null,
      value: crypto.getRandomValues(Buffer.alloc(5_000)),
      context: "large",
    });
    expect(await producer.flush(10_000)).toBe(true);
    producer.produce({ topic, key: null, value: Buffer.from("small"), context: "small" });
    expect(await producer.close(10_000)).toEqual({ undelivered: 0 });
    expect(outcomes).toMatchObject([
      { error: { code: "message_too_large", canRetry: false }, context: "large" },
      { error: null, context: "small" },
    ]);
  });

  test("a missing topic and a missing partition", async () => {
    const topic = await kafka.createTopic(1);
    const missing = `kafka-producer-none-${crypto.randomUUID()}`;
    const outcomes: Outcome[] = [];
    const producer = createProducer({
      config: {
        ...kafka.config({ KAFKA_MESSAGE_TIMEOUT_MS: "3000" }),
        "topic.metadata.propagation.max.ms": 500,
      },
      onOutcome: (error, delivery, context) => outcomes.push({ error, delivery, context }),
    });
    await producer.connect(10_000);
    producer.produce({ topic: missing, key: null, value: null, context: "topic" });
    producer.produce({ topic, key: null, value: null, context: "known" });
    expect(await producer.flush(10_000)).toBe(true);
    const codes = Object.fromEntries(outcomes.map(({ context, error }) => [context, error?.code]));
    expect(codes).toEqual({ topic: "unknown_topic", known: undefined });
    // Once the client knows the topic's partitions, an invalid one is rejected at once.
    expect(() => producer.produce({ topic, partition: 9, key: null, value: null })).toThrow(
      expect.objectContaining({ code: "unknown_partition" }),
    );
    await producer.close(1_000);
  });
});
