// Topics, offsets and groups on a real broker.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sharedBroker } from "@ingest/broker";
import { type ClientConfig, createAdmin, createProducer, type KafkaAdmin, readTopic } from "@ingest/kafka";
import { until } from "@ingest/testkit";

let config: ClientConfig;
let admin: KafkaAdmin;
beforeAll(async () => {
  config = { "bootstrap.servers": (await sharedBroker()).bootstrapServers };
  admin = await createAdmin({ config });
}, 120_000);
afterAll(() => admin?.close());

const made: string[] = [];
afterAll(async () => {
  const other = await createAdmin({ config });
  for (const topic of made) await other.deleteTopic(topic).catch(() => undefined);
  await other.close();
});

function newTopic(): string {
  const topic = `kafka-admin-${crypto.randomUUID()}`;
  made.push(topic);
  return topic;
}

async function write(topic: string, partition: number, count: number): Promise<void> {
  const producer = createProducer({ config, onOutcome() {} });
  await producer.connect(10_000);
  for (let i = 0; i < count; i++)
    producer.produce({ topic, partition, key: null, value: Buffer.from(`${i}`) });
  expect(await producer.close(20_000)).toEqual({ undelivered: 0 });
}

describe("ensureTopic", () => {
  test("makes a missing topic as told, and leaves one that is there", async () => {
    const topic = newTopic();
    const wish = { topic, partitions: 3, replicationFactor: 1, config: { "retention.ms": "86400000" } };
    expect(await admin.ensureTopic(wish)).toBe("created");
    expect(await admin.ensureTopic({ ...wish, partitions: 5 })).toBe("exists");
    const { partitions } = await admin.describeTopic(topic);
    expect(partitions).toEqual([0, 1, 2].map((id) => ({ id, leader: 1, replicas: [1], isrs: [1] })));
    expect(await admin.listTopics()).toContain(topic);
  });

  test("asked for by several at once, all succeed and one made it", async () => {
    const topic = newTopic();
    const wish = { topic, partitions: 1, replicationFactor: 1 };
    const admins = await Promise.all([createAdmin({ config }), createAdmin({ config })]);
    const outcomes = await Promise.all(admins.map((each) => each.ensureTopic(wish)));
    expect(outcomes.toSorted()).toSatisfy(
      (both: string[]) => both.join() === "created,exists" || both.join() === "exists,exists",
    );
    for (const each of admins) await each.close();
  });

  test.each([
    [{ partitions: 1, replicationFactor: 3 }, "invalid_config"],
    [{ partitions: 1, replicationFactor: 1, config: { "no.such.setting": "1" } }, "invalid_config"],
  ] as const)("%j is refused as %s", async (wish, code) => {
    await expect(admin.ensureTopic({ topic: newTopic(), ...wish })).rejects.toMatchObject({ code });
  });

  test("a name that no topic can have is refused", async () => {
    await expect(
      admin.ensureTopic({ topic: "not a topic!", partitions: 1, replicationFactor: 1 }),
    ).rejects.toMatchObject({ name: "KafkaError", canRetry: false });
  });
});

test("a topic that isn't there stays so when it is asked for", async () => {
  const topic = `kafka-admin-none-${crypto.randomUUID()}`;
  await expect(admin.describeTopic(topic)).rejects.toMatchObject({ code: "unknown_topic" });
  await expect(admin.offsets(topic)).rejects.toMatchObject({ code: "unknown_topic" });
  await expect(readTopic({ config, topic }).next()).rejects.toMatchObject({ code: "unknown_topic" });
  expect(await admin.listTopics()).not.toContain(topic);
});

test("offsets follow what is written, and deleted records move the start", async () => {
  const topic = newTopic();
  await admin.ensureTopic({ topic, partitions: 2, replicationFactor: 1 });
  await write(topic, 1, 10);
  expect(await admin.offsets(topic)).toEqual([
    { partition: 0, low: 0, high: 0 },
    { partition: 1, low: 0, high: 10 },
  ]);
  await admin.deleteRecords(topic, new Map([[1, 4]]));
  expect(await admin.offsets(topic)).toEqual([
    { partition: 0, low: 0, high: 0 },
    { partition: 1, low: 4, high: 10 },
  ]);
  const offsets: number[] = [];
  for await (const batch of readTopic({ config, topic })) offsets.push(...batch.map(({ offset }) => offset));
  expect(offsets).toEqual([4, 5, 6, 7, 8, 9]);
});

test("a group that never committed has no offsets and no members", async () => {
  const topic = newTopic();
  await admin.ensureTopic({ topic, partitions: 1, replicationFactor: 1 });
  const groupId = `kafka-admin-${crypto.randomUUID()}`;
  expect(await admin.groupOffsets(groupId, topic)).toEqual([]);
});

test("deleteTopic deletes", async () => {
  const topic = newTopic();
  await admin.ensureTopic({ topic, partitions: 1, replicationFactor: 1 });
  await admin.deleteTopic(topic);
  await until("the topic to be gone", async () => !(await admin.listTopics()).includes(topic), 10_000);
  await expect(admin.deleteTopic(topic)).rejects.toMatchObject({ code: "unknown_topic" });
});

test("nobody there is said with the reason", async () => {
  await expect(
    createAdmin({ config: { "bootstrap.servers": "127.0.0.1:1" }, timeoutMs: 500 }),
  ).rejects.toMatchObject({ code: "broker_unavailable", message: expect.stringContaining("refused") });
});
