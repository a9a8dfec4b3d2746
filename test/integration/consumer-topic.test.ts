// What becomes of a consumer when its topic is deleted, created again, or gets more partitions.
import { afterAll, describe, expect, test } from "bun:test";
import { createConsumer } from "@ingest/kafka";
import { loadClient } from "@ingest/kafka-native";
import { until } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { startConsumer } from "@ingest/testkit/service";
import { eventRecord, eventRecords, missingOf } from "./event-records.ts";

const kafka = await KafkaFixture.shared();
afterAll(() => kafka[Symbol.asyncDispose]());

/** Deletes the topic and creates it again, as soon as the broker allows. */
async function recreate(topic: string, partitions = 1): Promise<void> {
  await kafka.admin.deleteTopic(topic);
  await until("recreated", async () => (await create(topic, partitions).catch(() => "exists")) === "created");
}

function create(topic: string, partitions: number) {
  // A test's records may be of any age.
  const config = { "retention.ms": "-1" };
  return kafka.admin.ensureTopic({ topic, partitions, replicationFactor: 1, config });
}

/** Raises the number of partitions, by an admin client of Confluent's own. */
async function addPartition(topic: string, total: number): Promise<void> {
  const admin = loadClient().AdminClient.create({ "bootstrap.servers": kafka.bootstrapServers });
  await new Promise<void>((resolve, reject) => {
    admin.createPartitions(topic, total, 10_000, (error) => (error ? reject(error) : resolve()));
  });
  admin.disconnect();
}

/** Commits for a group without members. */
async function commitFor(env: Record<string, string>, offset: number, metadata: string): Promise<void> {
  const consumer = createConsumer({
    config: {
      "bootstrap.servers": kafka.bootstrapServers,
      "group.id": env.KAFKA_GROUP_ID,
      "enable.auto.commit": false,
    },
  });
  await consumer.connect(10_000);
  let isCommitting = true;
  const committing = consumer
    .commit([{ topic: env.KAFKA_TOPIC!, partition: 0, offset, metadata }])
    .finally(() => {
      isCommitting = false;
    });
  while (isCommitting) await consumer.fetch(1, 50);
  await committing;
  await consumer.close(10_000);
}

const quick = {
  COMMIT_INTERVAL_MS: "100",
  KAFKA_SESSION_TIMEOUT_MS: "6000",
  KAFKA_HEARTBEAT_INTERVAL_MS: "500",
};

describe("a topic that is deleted and created again", () => {
  // Fault: the consumer read on at its old position. 5 of 10 new events were never handled, and lag was 0.
  test.each(["earliest", "latest"])(
    "under a consumer is read from its beginning, and counted (%s)",
    async (reset) => {
      const { topic, env } = await kafka.createTopicAndGroup(1);
      await using consumer = startConsumer({ ...env, ...quick, KAFKA_AUTO_OFFSET_RESET: reset });
      await consumer.untilWaiting();
      await kafka.write(eventRecords(topic, 5));
      await until("the first handled", () => consumer.events.length === 5);
      await until("committed", async () => (await kafka.committed(env)) === 5);
      await recreate(topic);
      await kafka.write(eventRecords(topic, 10, 5));
      await until("the new ones handled", () => missingOf(consumer.events, 15).length === 0, 60_000);
      expect(await consumer.metric("ingest_consumer_topic_recreations_total")).toBe(1);
      expect(consumer.hasLogged("topic recreated: reading from its beginning")).toBe(true);
      await until("committed again", async () => (await kafka.committed(env)) === 10);
    },
    90_000,
  );

  test("is read from its beginning by a consumer that starts later, whatever the group has committed for the old one", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(1);
    await recreate(topic);
    await kafka.write(eventRecords(topic, 10));
    await commitFor(env, 5, "topic-id=AAAAAAAAAAAAAAAAAAAAAA partitions=1");
    await using consumer = startConsumer({ ...env, ...quick });
    await until("all handled", () => missingOf(consumer.events, 10).length === 0, 60_000);
    expect(await consumer.metric("ingest_consumer_topic_recreations_total")).toBe(1);
    await until("committed", async () => (await kafka.committed(env)) === 10);
    await consumer.stop();
    await using again = startConsumer({ ...env, ...quick });
    await again.untilWaiting();
    await kafka.write(eventRecords(topic, 1, 10));
    await until("the next handled", () => again.events.length > 0);
    expect(again.events.map(({ event_id }) => event_id)).toEqual(["e10"]);
    expect(again.hasLogged("topic recreated: reading from its beginning")).toBe(false);
  }, 120_000);

  test("a commit without a word about its topic is trusted", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(1);
    await kafka.write(eventRecords(topic, 10));
    await commitFor(env, 5, "by hand");
    await using consumer = startConsumer({ ...env, ...quick });
    await until("the rest handled", () => consumer.events.some(({ event_id }) => event_id === "e9"), 60_000);
    expect(consumer.events.map(({ offset }) => offset)).toEqual([5, 6, 7, 8, 9]);
  }, 90_000);
});

describe("a missing topic", () => {
  test("is named, and makes the consumer not ready; once it is back it is read within seconds", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(2);
    await using consumer = startConsumer({ ...env, ...quick });
    await consumer.untilReady();
    await kafka.admin.deleteTopic(topic);
    const line = await consumer.untilLogged("topic missing: there is nothing to read");
    expect(line.topic).toBe(topic);
    const response = await consumer.fetch("/health/ready");
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ topic: "missing" });
    await create(topic, 2);
    await kafka.write(eventRecords(topic, 20));
    await until("handled", () => missingOf(consumer.events, 20).length === 0, 60_000);
    await consumer.untilReady();
    expect(consumer.lines.filter(({ message }) => message.startsWith("topic missing"))).toHaveLength(1);
  }, 150_000);

  // Fault: a member that lost its session meanwhile had no partitions for 800 s, and was ready all the time.
  test("is read again by a member that lost its session meanwhile", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(2);
    await using consumer = startConsumer({ ...env, ...quick });
    await consumer.untilReady();
    consumer.kill("SIGSTOP");
    await kafka.admin.deleteTopic(topic);
    await until(
      "the member removed",
      async () => (await kafka.admin.describeGroup(env.KAFKA_GROUP_ID!)).members.length === 0,
      60_000,
    );
    consumer.kill("SIGCONT");
    await consumer.untilLogged("topic missing: there is nothing to read");
    await consumer.untilLogged("partitions lost");
    await create(topic, 2);
    await kafka.write(eventRecords(topic, 20));
    await until("handled", () => missingOf(consumer.events, 20).length === 0, 60_000);
    await consumer.untilReady();
  }, 150_000);
});

describe("partitions that are added", () => {
  // Fault: with latest, what was written to them before the consumer noticed was skipped.
  test("are read from their beginning, also with latest", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(1);
    await kafka.write(eventRecords(topic, 5));
    const latest = { ...env, ...quick, KAFKA_AUTO_OFFSET_RESET: "latest" };
    await using consumer = startConsumer(latest);
    await consumer.untilWaiting();
    await until("the start committed", async () => (await kafka.committed(env)) === 5);
    await addPartition(topic, 2);
    await kafka.write([{ ...eventRecord(topic, 5), partition: 1 }]);
    await until("handled", () => consumer.events.length > 0, 60_000);
    expect(consumer.events.map(({ partition, event_id }) => [partition, event_id])).toEqual([[1, "e5"]]);
  }, 90_000);
});
