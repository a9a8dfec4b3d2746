// A client whose broker is killed, paused and restarted. The broker is this file's own.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type ClientConfig, createProducer, type KafkaError } from "@ingest/kafka";
import { until } from "@ingest/testkit";
import { type OwnBroker, startOwnBroker } from "@ingest/testkit/kafka";

let own: OwnBroker;
beforeAll(async () => {
  own = await startOwnBroker();
}, 120_000);
afterAll(() => own?.[Symbol.asyncDispose](), 60_000);

const clientConfig = (): ClientConfig => ({
  "bootstrap.servers": own.broker.bootstrapServers,
  "enable.idempotence": true,
  "reconnect.backoff.max.ms": 500,
  "statistics.interval.ms": 1_000,
  log_level: 0,
});

test("a broker that is killed and restarted gets every record once and in order", async () => {
  const topic = await own.kafka.createTopic(1);
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
  const killed = own.broker.kill();
  produce(2_000);
  await killed;
  await until("the disconnect", () => !producer.connected);
  produce(2_000);
  await own.broker.restart();
  await until("all outcomes", () => outcomes.length === 6_000, 60_000);
  expect(producer.connected).toBe(true);
  expect(errors.every((error) => error === null)).toBe(true);
  expect(outcomes).toEqual([...Array(6_000).keys()]);
  expect(await producer.close(5_000)).toEqual({ undelivered: 0 });

  const values = (await own.kafka.read(topic)).map(({ value }) => value!.toString());
  expect(values).toEqual(Array.from({ length: 6_000 }, (_, n) => `${n}`));
}, 180_000);

test("closing while the broker is paused ends within the time-out, and returns every context", async () => {
  const topic = await own.kafka.createTopic(1);
  const outcomes: { code: string | undefined; context: unknown }[] = [];
  const producer = createProducer({
    config: clientConfig(),
    onOutcome: (error, _, context) => outcomes.push({ code: error?.code, context }),
  });
  await producer.connect(10_000);
  producer.produce({ topic, key: null, value: Buffer.from("first"), context: "first" });
  expect(await producer.flush(10_000)).toBe(true);
  own.broker.pause();
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
    own.broker.resume();
  }
  // A new producer is not disturbed by the one that was closed.
  const again = createProducer({ config: clientConfig(), onOutcome() {} });
  await again.connect(30_000);
  again.produce({ topic, key: null, value: Buffer.from("again") });
  expect(await again.close(20_000)).toEqual({ undelivered: 0 });
}, 120_000);
