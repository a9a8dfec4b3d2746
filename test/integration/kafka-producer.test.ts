// What the producer promises, on a real broker.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sharedBroker } from "@ingest/broker";
import {
  type ClientConfig,
  type ConsumedRecord,
  createAdmin,
  createProducer,
  type Delivery,
  type KafkaAdmin,
  type KafkaError,
  producerSettings,
  readTopic,
  toClientConfig,
} from "@ingest/kafka";
import { parseSettings } from "@ingest/service";

let env: Record<string, string>;
let admin: KafkaAdmin;
beforeAll(async () => {
  env = { KAFKA_BOOTSTRAP_SERVERS: (await sharedBroker()).bootstrapServers };
  admin = await createAdmin({ config: clientConfig() });
}, 120_000);
const made: string[] = [];
afterAll(async () => {
  for (const topic of made) await admin.deleteTopic(topic).catch(() => undefined);
  await admin?.close();
});

/** The configuration that a service would have. */
function clientConfig(extra: Record<string, string> = {}): ClientConfig {
  return toClientConfig(parseSettings(producerSettings, { ...env, ...extra }), "producer");
}

async function newTopic(partitions: number, config?: Record<string, string>): Promise<string> {
  const topic = `kafka-producer-${crypto.randomUUID()}`;
  await admin.ensureTopic({ topic, partitions, replicationFactor: 1, ...(config ? { config } : {}) });
  made.push(topic);
  return topic;
}

async function readAll(topic: string): Promise<ConsumedRecord[]> {
  const records: ConsumedRecord[] = [];
  for await (const batch of readTopic({ config: clientConfig(), topic })) records.push(...batch);
  return records;
}

interface Outcome {
  error: KafkaError | null;
  delivery: Delivery;
  context: unknown;
}

describe.each(["none", "gzip", "snappy", "lz4"])("compression %s", (codec) => {
  test("20,000 records land once each, a key's in order, where their outcomes say", async () => {
    const topic = await newTopic(6);
    const outcomes: Outcome[] = [];
    const producer = createProducer({
      config: clientConfig({ KAFKA_COMPRESSION_TYPE: codec }),
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
    const landed = new Map(
      outcomes.map(({ delivery, context }) => [`${delivery.partition}/${delivery.offset}`, context]),
    );
    const records = await readAll(topic);
    expect(records).toHaveLength(20_000);
    const lastOfKey = new Map<string, number>();
    for (const { partition, offset, key, value } of records) {
      const { n } = JSON.parse(value!.toString()) as { n: number };
      expect(landed.get(`${partition}/${offset}`)).toBe(n);
      expect(lastOfKey.get(key!.toString()) ?? -1).toBeLessThan(n);
      lastOfKey.set(key!.toString(), n);
    }
    expect(lastOfKey.size).toBe(97);
  }, 60_000);
});

test("a key lands where Kafka's Java clients would put it", async () => {
  const topic = await newTopic(6);
  const placed = new Map<unknown, number>();
  const producer = createProducer({
    config: clientConfig(),
    onOutcome: (_, { partition }, context) => placed.set(context, partition),
  });
  await producer.connect(10_000);
  const keys = ["user-0", "user-1", "a", "zoë", "01234567890123456789"];
  for (const key of keys) producer.produce({ topic, key, value: null, context: key });
  await producer.close(10_000);
  for (const key of keys) expect([key, placed.get(key)]).toEqual([key, javaPartition(key, 6)]);
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

describe("failures come back with their reason and context", () => {
  test("a record that the topic finds too large", async () => {
    const topic = await newTopic(1, { "max.message.bytes": "1000" });
    const outcomes: Outcome[] = [];
    const producer = createProducer({
      config: clientConfig(),
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

  test("a topic that isn't there, and a partition", async () => {
    const topic = await newTopic(1);
    const missing = `kafka-producer-none-${crypto.randomUUID()}`;
    const outcomes: Outcome[] = [];
    const producer = createProducer({
      config: {
        ...clientConfig({ KAFKA_MESSAGE_TIMEOUT_MS: "3000" }),
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
    // Now that the topic's partitions are known, a wrong one is noticed at once.
    expect(() => producer.produce({ topic, partition: 9, key: null, value: null })).toThrow(
      expect.objectContaining({ code: "unknown_partition" }),
    );
    await producer.close(1_000);
  });
});
