// A producer whose broker stops, dies and comes back. The broker is this file's own.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Broker, startBroker } from "@ingest/broker";
import { type ClientConfig, createAdmin, createProducer, type KafkaError, readTopic } from "@ingest/kafka";
import { until } from "@ingest/testkit";

let broker: Broker;
beforeAll(async () => {
  broker = await startBroker();
}, 120_000);
afterAll(() => broker?.[Symbol.asyncDispose]());

const clientConfig = (): ClientConfig => ({
  "bootstrap.servers": broker.bootstrapServers,
  "enable.idempotence": true,
  "reconnect.backoff.max.ms": 500,
  "statistics.interval.ms": 1_000,
  log_level: 0,
});

async function newTopic(): Promise<string> {
  const topic = `kafka-broker-loss-${crypto.randomUUID()}`;
  const admin = await createAdmin({ config: clientConfig(), timeoutMs: 30_000 });
  await admin.ensureTopic({ topic, partitions: 1, replicationFactor: 1 });
  await admin.close();
  return topic;
}

test("a broker that is killed and comes back gets every record once and in order", async () => {
  const topic = await newTopic();
  const outcomes: unknown[] = [];
  const errors: (KafkaError | null)[] = [];
  const producer = createProducer({
    config: { ...clientConfig(), "message.timeout.ms": 120_000 },
    onOutcome: (error, _, context) => {
      errors.push(error);
      outcomes.push(context);
    },
  });
  await producer.connect(10_000);
  let next = 0;
  const produce = (count: number) => {
    for (const end = next + count; next < end; next++)
      expect(producer.produce({ topic, key: "one", value: Buffer.from(`${next}`), context: next })).toBe(
        "queued",
      );
  };
  produce(2_000);
  await until("the first outcome", () => outcomes.length > 0);
  const killed = broker.kill();
  produce(2_000);
  await killed;
  await until("the disconnect", () => !producer.connected);
  produce(2_000);
  await broker.restart();
  await until("all outcomes", () => outcomes.length === 6_000, 60_000);
  expect(producer.connected).toBe(true);
  expect(errors.every((error) => error === null)).toBe(true);
  expect(outcomes).toEqual([...Array(6_000).keys()]);
  expect(await producer.close(5_000)).toEqual({ undelivered: 0 });

  const read: string[] = [];
  for await (const batch of readTopic({ config: clientConfig(), topic }))
    read.push(...batch.map(({ value }) => value!.toString()));
  expect(read).toEqual(Array.from({ length: 6_000 }, (_, n) => `${n}`));
}, 180_000);

test("closing on a broker that doesn't answer any more ends in time, and every context comes back", async () => {
  const topic = await newTopic();
  const outcomes: { code: string | undefined; context: unknown }[] = [];
  const producer = createProducer({
    config: clientConfig(),
    onOutcome: (error, _, context) => outcomes.push({ code: error?.code, context }),
  });
  await producer.connect(10_000);
  producer.produce({ topic, key: null, value: Buffer.from("first"), context: "first" });
  expect(await producer.flush(10_000)).toBe(true);
  broker.pause();
  try {
    for (let n = 0; n < 100; n++) producer.produce({ topic, key: null, value: Buffer.from("x"), context: n });
    const started = performance.now();
    expect(await producer.flush(300)).toBe(false);
    expect(await producer.close(1_000)).toEqual({ undelivered: 100 });
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(outcomes[0]).toEqual({ code: undefined, context: "first" });
    expect(outcomes.slice(1)).toEqual(
      Array.from({ length: 100 }, (_, n) => ({ code: "abandoned", context: n })),
    );
  } finally {
    broker.resume();
  }
  // A new producer takes over where the stuck one was left.
  const again = createProducer({ config: clientConfig(), onOutcome() {} });
  await again.connect(30_000);
  again.produce({ topic, key: null, value: Buffer.from("again") });
  expect(await again.close(20_000)).toEqual({ undelivered: 0 });
}, 120_000);
