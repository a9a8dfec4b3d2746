import { afterAll, beforeAll, expect, test } from "bun:test";
import { createAdmin } from "./admin.ts";
import { createProducer } from "./create-producer.ts";
import { type MockCluster, startMockCluster } from "./mock-cluster.ts";
import { readTopic } from "./reader.ts";
import type { ClientConfig, ConsumedRecord, ProducerRecord } from "./records.ts";

let cluster: MockCluster;
let config: ClientConfig;
beforeAll(async () => {
  cluster = await startMockCluster();
  config = { "bootstrap.servers": cluster.bootstrapServers, log_level: 0 };
});
afterAll(() => cluster.close());

async function write(records: ProducerRecord[]): Promise<void> {
  const producer = createProducer({ config, onOutcome() {} });
  await producer.connect(5_000);
  for (const record of records) producer.produce(record);
  expect(await producer.close(10_000)).toEqual({ undelivered: 0 });
}

async function readAll(options: Omit<Parameters<typeof readTopic>[0], "config">): Promise<ConsumedRecord[]> {
  const records: ConsumedRecord[] = [];
  for await (const batch of readTopic({ config, ...options })) records.push(...batch);
  return records;
}

test("keys, values, headers and timestamps come back as they were written", async () => {
  const topic = "reader-round-trip";
  const records: ProducerRecord[] = [
    { topic, partition: 0, key: "k", value: Buffer.from("v"), timestampMs: 1_700_000_000_000 },
    { topic, partition: 0, key: null, value: null, timestampMs: 1 },
    { topic, partition: 0, key: "", value: new Uint8Array(0), timestampMs: 2 },
    { topic, partition: 0, key: "nul\0inside", value: Buffer.from("zoë €"), timestampMs: 3 },
    {
      topic,
      partition: 0,
      key: new Uint8Array([0, 255]),
      value: new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
      timestampMs: 4,
      headers: [
        ["cause", "tëxt\0nul"],
        ["raw", new Uint8Array([9, 0])],
        ["cause", "again"],
        ["null", null],
        ["empty", ""],
        ["__proto__", "p"],
        ["__proto__", null],
        ["7", "a number"],
        ["1", "a smaller one"],
      ],
    },
  ];
  await write(records);
  const read = await readAll({ topic });
  expect(read.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4]);
  expect(read.map(({ key }) => key && [...key])).toEqual([
    [...Buffer.from("k")],
    null,
    [],
    [...Buffer.from("nul\0inside")],
    [0, 255],
  ]);
  expect(read.map(({ value }) => value && [...value])).toEqual([
    [...Buffer.from("v")],
    null,
    [],
    [...Buffer.from("zoë €")],
    [2, 3],
  ]);
  expect(read.map(({ timestampMs }) => timestampMs)).toEqual([1_700_000_000_000, 1, 2, 3, 4]);
  expect(read[4]!.headers.map(([name, value]) => [name, value?.toString("latin1") ?? null])).toEqual([
    ["cause", Buffer.from("tëxt\0nul").toString("latin1")],
    ["raw", "\t\0"],
    ["cause", "again"],
    ["null", null],
    ["empty", ""],
    ["__proto__", "p"],
    ["__proto__", null],
    ["7", "a number"],
    ["1", "a smaller one"],
  ]);
  expect(read[0]!.headers).toEqual([]);
});

test("reads from offsets to offsets, each partition in order, and leaves out empty ones", async () => {
  const topic = "reader-stretch";
  const value = (n: number) => Buffer.from(String(n));
  await write(
    Array.from({ length: 300 }, (_, n) => ({ topic, partition: n % 3, key: null, value: value(n) })),
  );
  const read = await readAll({ topic, batch: 7, from: new Map([[0, 90]]), to: new Map([[1, 10]]) });
  const offsets = (p: number) => read.filter(({ partition }) => partition === p).map(({ offset }) => offset);
  expect(offsets(0)).toEqual(Array.from({ length: 10 }, (_, i) => 90 + i));
  expect(offsets(1)).toEqual([...Array(10).keys()]);
  expect(offsets(2)).toEqual([...Array(100).keys()]);
  expect(offsets(3)).toEqual([]);
});

test("may be left early", async () => {
  const topic = "reader-early";
  await write(Array.from({ length: 100 }, () => ({ topic, key: null, value: Buffer.from("x") })));
  for await (const batch of readTopic({ config, topic, batch: 5 })) {
    expect(batch.length).toBeGreaterThan(0);
    break;
  }
});

test("an empty topic ends at once; an end that never comes fails as timed_out", async () => {
  const topic = "reader-empty";
  const admin = await createAdmin({ config });
  expect(await admin.ensureTopic({ topic, partitions: 4, replicationFactor: 1 })).toBe("created");
  expect(await admin.ensureTopic({ topic, partitions: 4, replicationFactor: 1 })).toBe("exists");
  expect((await admin.offsets(topic)).map(({ low, high }) => [low, high])).toEqual(Array(4).fill([0, 0]));
  await admin.close();
  expect(await readAll({ topic })).toEqual([]);
  await expect(readAll({ topic, to: new Map([[0, 5]]), idleTimeoutMs: 300 })).rejects.toMatchObject({
    code: "timed_out",
  });
});

test("a missing topic is reported", async () => {
  const admin = await createAdmin({ config });
  await expect(admin.describeTopic("reader-none")).rejects.toMatchObject({ code: "unknown_topic" });
  await admin.close();
});
