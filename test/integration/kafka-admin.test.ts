// Topics, offsets and groups on a real broker.
import { afterAll, describe, expect, test } from "bun:test";
import { createAdmin, createProducer, readTopic } from "@ingest/kafka";
import { until } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";

const kafka = await KafkaFixture.shared();
afterAll(() => kafka[Symbol.asyncDispose]());
const { admin } = kafka;
const config = kafka.config();

async function write(topic: string, partition: number, count: number): Promise<void> {
  const producer = createProducer({ config, onOutcome() {} });
  await producer.connect(10_000);
  for (let i = 0; i < count; i++)
    producer.produce({ topic, partition, key: null, value: Buffer.from(`${i}`) });
  expect(await producer.close(20_000)).toEqual({ undelivered: 0 });
}

describe("ensureTopic", () => {
  test("creates a missing topic, and leaves an existing one unchanged", async () => {
    const topic = kafka.topicName();
    const spec = { topic, partitions: 3, replicationFactor: 1, config: { "retention.ms": "86400000" } };
    expect(await admin.ensureTopic(spec)).toBe("created");
    expect(await admin.ensureTopic({ ...spec, partitions: 5 })).toBe("exists");
    const { partitions } = await admin.describeTopic(topic);
    expect(partitions).toEqual([0, 1, 2].map((id) => ({ id, leader: 1, replicas: [1], isrs: [1] })));
    expect(await admin.listTopics()).toContain(topic);
  });

  test("several concurrent calls all succeed, and one creates the topic", async () => {
    const topic = kafka.topicName();
    const spec = { topic, partitions: 1, replicationFactor: 1 };
    const admins = await Promise.all([createAdmin({ config }), createAdmin({ config })]);
    const outcomes = await Promise.all(admins.map((each) => each.ensureTopic(spec)));
    expect(outcomes.toSorted()).toSatisfy(
      (both: string[]) => both.join() === "created,exists" || both.join() === "exists,exists",
    );
    for (const each of admins) await each.close();
  });

  test.each([
    [{ partitions: 1, replicationFactor: 3 }, "invalid_config"],
    [{ partitions: 1, replicationFactor: 1, config: { "no.such.setting": "1" } }, "invalid_config"],
  ] as const)("%j is rejected as %s", async (spec, code) => {
    await expect(admin.ensureTopic({ topic: kafka.topicName(), ...spec })).rejects.toMatchObject({ code });
  });

  test("an invalid topic name is rejected", async () => {
    await expect(
      admin.ensureTopic({ topic: "not a topic!", partitions: 1, replicationFactor: 1 }),
    ).rejects.toMatchObject({ name: "KafkaError", canRetry: false });
  });
});

test("a missing topic is reported, and not created by the request", async () => {
  const topic = `kafka-admin-none-${crypto.randomUUID()}`;
  await expect(admin.describeTopic(topic)).rejects.toMatchObject({ code: "unknown_topic" });
  await expect(admin.offsets(topic)).rejects.toMatchObject({ code: "unknown_topic" });
  await expect(readTopic({ config, topic }).next()).rejects.toMatchObject({ code: "unknown_topic" });
  expect(await admin.listTopics()).not.toContain(topic);
});

test("offsets grow with writes, and deleting records raises the low offset", async () => {
  const topic = await kafka.createTopic(2);
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
  const offsets = (await kafka.read(topic)).map(({ offset }) => offset);
  expect(offsets).toEqual([4, 5, 6, 7, 8, 9]);
});

test("a group that never committed has no offsets and no members", async () => {
  const topic = await kafka.createTopic(1);
  const groupId = `kafka-admin-${crypto.randomUUID()}`;
  expect(await admin.groupOffsets(groupId, topic)).toEqual([]);
});

test("deleteTopic deletes the topic", async () => {
  const topic = await kafka.createTopic(1);
  await admin.deleteTopic(topic);
  await until("the deletion", async () => !(await admin.listTopics()).includes(topic), 10_000);
  await expect(admin.deleteTopic(topic)).rejects.toMatchObject({ code: "unknown_topic" });
});

test("an unreachable broker is reported with the reason", async () => {
  await expect(
    createAdmin({ config: { "bootstrap.servers": "127.0.0.1:1" }, timeoutMs: 500 }),
  ).rejects.toMatchObject({ code: "broker_unavailable", message: expect.stringContaining("refused") });
});
