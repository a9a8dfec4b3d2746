import { afterAll, expect, test } from "bun:test";
import { createConsumer } from "./confluent-consumer.ts";
import { createTransactions } from "./consumer-transaction.ts";
import { startMockCluster } from "./mock-cluster.ts";
import { readTopic } from "./reader.ts";
import type { ConsumedRecord } from "./records.ts";

const cluster = await startMockCluster();
afterAll(() => cluster.close());
const config = { "bootstrap.servers": cluster.bootstrapServers };

// The mock cluster commits no offsets in a transaction: test/integration/consumer-dead-letters.test.ts covers them.
test("records are written as they are, whatever their headers", async () => {
  const topic = "transaction-headers";
  const consumer = createConsumer({ config: { ...config, "group.id": "g", "enable.auto.commit": false } });
  await consumer.connect(10_000);
  const transactions = createTransactions({ config, transactionalId: "t", timeoutMs: 10_000 });
  await transactions.connect();
  const headers = [
    ["a", "1"],
    ["a", null],
    ["empty", ""],
    ["__proto__", "p"],
  ] as const;
  const record = { topic, partition: 0, key: "k", timestampMs: 5 };
  await transactions.write(
    [
      { ...record, value: "first", headers },
      { ...record, value: null },
    ],
    consumer,
    [{ topic, partition: 0, offset: 7 }],
  );
  const read: ConsumedRecord[] = [];
  for await (const batch of readTopic({ config, topic, to: new Map([[0, 2]]) })) read.push(...batch);
  expect(read.map(({ value, timestampMs }) => [value?.toString() ?? null, timestampMs])).toEqual([
    ["first", 5],
    [null, 5],
  ]);
  expect(read[0]!.headers.map(([name, value]) => [name, value?.toString() ?? null])).toEqual(
    headers.map((header) => [...header]),
  );
  expect(read[1]!.headers).toEqual([]);
  await transactions.close(5_000);
  await consumer.close(5_000);
}, 30_000);
