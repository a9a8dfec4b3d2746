import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { until } from "@ingest/testkit";
import { createProducer } from "./create-producer.ts";
import { KafkaError } from "./errors.ts";
import { type MockCluster, startMockCluster } from "./mock-cluster.ts";
import type { KafkaProducer, ProducerOptions } from "./producer.ts";
import { readTopic } from "./reader.ts";
import type { ClientConfig, Delivery } from "./records.ts";
import type { ProducerStatistics } from "./statistics.ts";

let cluster: MockCluster;
beforeAll(async () => {
  cluster = await startMockCluster();
});
afterAll(() => cluster.close());

interface Outcome {
  error: KafkaError | null;
  delivery: Delivery;
  context: unknown;
}

/** A producer that records its outcomes and errors, and is closed at the end of the test. */
async function withProducer(
  config: ClientConfig,
  act: (producer: KafkaProducer, outcomes: Outcome[]) => Promise<void>,
  options: Partial<ProducerOptions> = {},
): Promise<void> {
  const outcomes: Outcome[] = [];
  const producer = createProducer({
    config: { "bootstrap.servers": cluster.bootstrapServers, log_level: 0, ...config },
    onOutcome: (error, { topic, partition, offset }, context) =>
      outcomes.push({ error, delivery: { topic, partition, offset }, context }),
    ...options,
  });
  try {
    await act(producer, outcomes);
  } finally {
    await producer.close(2_000);
  }
}

let topics = 0;
const newTopic = () => `producer-test-${process.pid}-${++topics}`;
const value = Buffer.from('{"event_type":"test"}');
/** An address at which nothing listens. */
const nowhere = { "bootstrap.servers": "127.0.0.1:1" };

describe("produce", () => {
  test("each record gets one outcome, with its partition, offset and context", () =>
    withProducer({}, async (producer, outcomes) => {
      const topic = newTopic();
      await producer.connect(5_000);
      const contexts = Array.from({ length: 500 }, (_, n) => ({ n }));
      for (const context of contexts)
        expect(
          producer.produce({ topic, partition: context.n % 4, key: `k${context.n}`, value, context }),
        ).toBe("queued");
      const keys = contexts.reduce((sum, { n }) => sum + `k${n}`.length, 0);
      expect(producer.queued()).toEqual({ messages: 500, bytes: 500 * value.length + keys });
      expect(await producer.flush(10_000)).toBe(true);
      expect(producer.queued()).toEqual({ messages: 0, bytes: 0 });
      expect(outcomes).toHaveLength(500);
      expect(outcomes.every(({ error }) => error === null)).toBe(true);
      expect(new Set(outcomes.map(({ context }) => context))).toEqual(new Set(contexts));
      for (const partition of [0, 1, 2, 3]) {
        const offsets = outcomes
          .filter(({ delivery }) => delivery.partition === partition)
          .map(({ delivery, context }) => ({ offset: delivery.offset, n: (context as { n: number }).n }));
        // In a partition the order of the calls is the order of the offsets.
        expect(offsets.map(({ offset }) => offset)).toEqual(offsets.map((_, i) => i));
        expect(offsets.map(({ n }) => n)).toEqual(offsets.map((_, i) => partition + 4 * i));
      }
    }));

  test("records are handed over together, with their headers, and records with a time of their own keep their place among them", async () => {
    const topic = newTopic();
    await withProducer({}, async (producer, outcomes) => {
      await producer.connect(5_000);
      for (let n = 0; n < 3_000; n++) {
        const own =
          n % 500 === 7
            ? { timestampMs: 1_000 + n }
            : n % 5 === 3
              ? { headers: [["n", `${n}`] as const] }
              : {};
        const value = n % 3 === 0 ? `значение ${n}` : Buffer.from(`value ${n}`);
        expect(producer.produce({ topic, key: "one", value, context: n, ...own })).toBe("queued");
      }
      // Larger than what is handed over together.
      producer.produce({ topic, key: "one", value: "x".repeat(900_000), context: 3_000 });
      expect(producer.queued().messages).toBe(3_001);
      expect(await producer.flush(10_000)).toBe(true);
      const inOrder = outcomes.sort((a, b) => a.delivery.offset - b.delivery.offset);
      expect(inOrder.map(({ error }) => error)).toEqual(Array(3_001).fill(null));
      expect(inOrder.map(({ context }) => context)).toEqual([...Array(3_001).keys()]);
      expect(new Set(inOrder.map(({ delivery }) => delivery.partition)).size).toBe(1);
    });
    const records = [];
    for await (const batch of readTopic({ config: { "bootstrap.servers": cluster.bootstrapServers }, topic }))
      records.push(...batch);
    expect(records.map(({ value }) => value?.toString()).slice(0, 3_000)).toEqual(
      Array.from({ length: 3_000 }, (_, n) => (n % 3 === 0 ? `значение ${n}` : `value ${n}`)),
    );
    expect(records.every(({ key }) => key?.toString() === "one")).toBe(true);
    expect(records[7]?.timestampMs).toBe(1_007);
    const headers = records.slice(0, 3_000).map((record) => record.headers[0]?.[1]?.toString());
    expect(headers).toEqual(Array.from({ length: 3_000 }, (_, n) => (n % 5 === 3 ? `${n}` : undefined)));
  });

  test("the queue is also limited in bytes", async () => {
    const topic = newTopic();
    await withProducer({ "queue.buffering.max.kbytes": 1, "linger.ms": 50 }, async (producer, outcomes) => {
      await producer.connect(5_000);
      const results = Array.from({ length: 4 }, () =>
        producer.produce({ topic, key: "key", value: "x".repeat(509) }),
      );
      expect(results).toEqual(["queued", "queued", "full", "full"]);
      expect(producer.queued()).toEqual({ messages: 2, bytes: 1_024 });
      await until("two outcomes", () => outcomes.length === 2);
      expect(producer.queued()).toEqual({ messages: 0, bytes: 0 });
    });
  });

  test("text that is too large as UTF-8 throws, and earlier records are still sent", async () => {
    const topic = newTopic();
    await withProducer({ "message.max.bytes": 1_000 }, async (producer, outcomes) => {
      await producer.connect(5_000);
      producer.produce({ topic, key: null, value: "a" });
      expect(() => producer.produce({ topic, key: "k", value: "ж".repeat(600) })).toThrow(
        expect.objectContaining({ code: "message_too_large" }),
      );
      producer.produce({ topic, key: null, value: "b" });
      expect(await producer.flush(5_000)).toBe(true);
      expect(outcomes.map(({ error }) => error)).toEqual([null, null]);
    });
  });

  test("the context is optional", () =>
    withProducer({}, async (producer, outcomes) => {
      const topic = newTopic();
      await producer.connect(5_000);
      producer.produce({ topic, partition: 2, key: null, value: null });
      producer.produce({ topic, partition: 2, key: null, value: new Uint8Array(0), timestampMs: 1_000 });
      producer.produce({
        topic,
        partition: 2,
        key: "k",
        value,
        headers: [
          ["a", "1"],
          ["b", new Uint8Array([2])],
        ],
      });
      expect(await producer.flush(10_000)).toBe(true);
      expect(outcomes.map(({ context }) => context)).toEqual([undefined, undefined, undefined]);
      expect(outcomes.map(({ delivery }) => delivery)).toEqual(
        [0, 1, 2].map((offset) => ({ topic, partition: 2, offset })),
      );
    }));

  test("a full queue accepts nothing until there is room again", () =>
    withProducer({ "queue.buffering.max.messages": 10, "linger.ms": 50 }, async (producer, outcomes) => {
      const topic = newTopic();
      await producer.connect(5_000);
      const results = Array.from({ length: 12 }, (_, context) =>
        producer.produce({ topic, key: null, value, context }),
      );
      expect(results).toEqual([...Array(10).fill("queued"), "full", "full"]);
      expect(producer.queued().messages).toBe(10);
      await until("ten outcomes", () => outcomes.length === 10);
      expect(producer.produce({ topic, key: null, value, context: 12 })).toBe("queued");
      await producer.flush(10_000);
      expect(outcomes.map(({ context }) => context as number).sort((a, b) => a - b)).toEqual([
        ...Array(10).keys(),
        12,
      ]);
    }));

  test("a record that can never be sent throws and doesn't stay in the queue", () =>
    withProducer({ "message.max.bytes": 1_000 }, async (producer, outcomes) => {
      await producer.connect(5_000);
      expect(() =>
        producer.produce({ topic: newTopic(), key: null, value: Buffer.alloc(2_000), context: 1 }),
      ).toThrow(expect.objectContaining({ code: "message_too_large", canRetry: false }));
      expect(() =>
        producer.produce({ topic: newTopic(), key: null, value: 5 as unknown as Buffer, context: 1 }),
      ).toThrow(KafkaError);
      expect(producer.queued()).toEqual({ messages: 0, bytes: 0 });
      expect(await producer.close(1_000)).toEqual({ undelivered: 0 });
      expect(outcomes).toEqual([]);
    }));

  test("produce throws not_connected before connect and after close", () =>
    withProducer({}, async (producer) => {
      const record = { topic: newTopic(), key: null, value };
      expect(() => producer.produce(record)).toThrow(expect.objectContaining({ code: "not_connected" }));
      await producer.connect(5_000);
      await producer.close(1_000);
      expect(() => producer.produce(record)).toThrow(expect.objectContaining({ code: "not_connected" }));
      await expect(producer.connect(100)).rejects.toMatchObject({ code: "not_connected" });
    }));
});

describe("connect", () => {
  test("an unreachable broker fails the call in time and with the reason, and it can be retried", () =>
    withProducer(nowhere, async (producer) => {
      for (let attempt = 0; attempt < 2; attempt++) {
        const started = performance.now();
        await expect(producer.connect(300)).rejects.toMatchObject({ code: "broker_unavailable" });
        expect(performance.now() - started).toBeLessThan(5_000);
      }
      expect(producer.connected).toBe(false);
    }));

  test("createProducer rejects an invalid configuration", () => {
    const make = (config: ClientConfig) => () => createProducer({ config, onOutcome() {} });
    expect(make({ "no.such.property": 1 })).toThrow(expect.objectContaining({ code: "invalid_config" }));
    expect(make({ "linger.ms": -5 })).toThrow(expect.objectContaining({ code: "invalid_config" }));
  });
});

describe("close", () => {
  test("delivers lingering records", () =>
    withProducer({ "linger.ms": 5_000 }, async (producer, outcomes) => {
      await producer.connect(5_000);
      for (let i = 0; i < 100; i++) producer.produce({ topic: newTopic(), key: null, value });
      expect(await producer.close(10_000)).toEqual({ undelivered: 0 });
      expect(outcomes).toHaveLength(100);
    }));

  test("without Kafka it ends in time, and every record gets `abandoned` with its context", async () => {
    const gone = await startMockCluster();
    await withProducer({ "bootstrap.servers": gone.bootstrapServers }, async (producer, outcomes) => {
      const topic = newTopic();
      await producer.connect(5_000);
      await gone.close();
      producer.produce({ topic, key: null, value, context: "a" });
      producer.produce({ topic, key: null, value, context: "b" });
      producer.produce({ topic, key: null, value });
      const started = performance.now();
      expect(await producer.close(500)).toEqual({ undelivered: 3 });
      expect(performance.now() - started).toBeLessThan(5_000);
      expect(outcomes.map(({ error }) => error?.code)).toEqual(["abandoned", "abandoned", "abandoned"]);
      expect(outcomes.map(({ context }) => context)).toEqual(["a", "b", undefined]);
      expect(producer.queued()).toEqual({ messages: 0, bytes: 0 });
    });
  });

  test("can be called again, and without a connection", () =>
    withProducer({}, async (producer) => {
      const both = await Promise.all([producer.close(100), producer.close(100)]);
      expect(both).toEqual([{ undelivered: 0 }, { undelivered: 0 }]);
    }));
});

describe("while Kafka is unavailable", () => {
  test("deliveries time out with their context, and `connected` becomes false", async () => {
    const gone = await startMockCluster();
    const errors: KafkaError[] = [];
    await withProducer(
      { "bootstrap.servers": gone.bootstrapServers, "message.timeout.ms": 300, "linger.ms": 0 },
      async (producer, outcomes) => {
        await producer.connect(5_000);
        expect(producer.connected).toBe(true);
        await gone.close();
        producer.produce({ topic: newTopic(), key: null, value, context: "late" });
        await until("the outcome", () => outcomes.length === 1);
        expect(outcomes[0]).toMatchObject({ error: { code: "timed_out", canRetry: true }, context: "late" });
        await until("the disconnect", () => !producer.connected);
        expect(errors.map(({ code }) => code)).toContain("broker_unavailable");
      },
      { onError: (error) => errors.push(error) },
    );
  });
});

test("statistics arrive at the configured interval", async () => {
  const seen: ProducerStatistics[] = [];
  await withProducer(
    { "statistics.interval.ms": 1_000 },
    async (producer, outcomes) => {
      await producer.connect(5_000);
      expect(producer.statistics()).toBeUndefined();
      producer.produce({ topic: newTopic(), key: null, value });
      await until("the outcome", () => outcomes.length === 1);
      await until("the statistics", () => seen.some(({ sentMessages }) => sentMessages === 1));
      expect(producer.statistics()).toMatchObject({ brokersUp: 1, queueMessages: 0, sentMessages: 1 });
    },
    { onStatistics: (statistics) => seen.push(statistics) },
  );
});
