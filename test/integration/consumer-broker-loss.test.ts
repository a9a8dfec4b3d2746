// A broker that is unavailable at the start, stops, crashes and restarts: the consumer recovers by itself.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { canStartBroker, freePort, startBroker } from "@ingest/broker";
import { until } from "@ingest/testkit";
import { KafkaFixture, type OwnBroker, startOwnBroker } from "@ingest/testkit/kafka";
import { startConsumer } from "@ingest/testkit/service";
import { eventRecords, missingOf, outOfOrder } from "./event-records.ts";

describe.skipIf(!canStartBroker())("a consumer whose broker", () => {
  let own: OwnBroker;
  beforeAll(async () => {
    own = await startOwnBroker();
  }, 120_000);
  afterAll(() => own?.[Symbol.asyncDispose](), 60_000);

  test("is stopped and restarted, then killed and restarted: every event is handled, each key in order", async () => {
    const { topic, env } = await own.kafka.createTopicAndGroup(6);
    await using consumer = startConsumer(env);
    await own.kafka.write(eventRecords(topic, 1_000));
    await until("the first thousand logged", () => consumer.events.length >= 1_000);
    await own.broker.stop();
    await until("not ready", async () => (await consumer.fetch("/health/ready")).status === 503, 60_000);
    expect((await consumer.fetch("/health/live")).status).toBe(200);
    await own.broker.restart();
    await own.kafka.write(eventRecords(topic, 1_000, 1_000));
    await until("the second thousand logged", () => missingOf(consumer.events, 2_000).length === 0, 60_000);
    await until("ready again", async () => (await consumer.fetch("/health/ready")).status === 200, 60_000);
    await own.broker.kill();
    await own.broker.restart();
    await own.kafka.write(eventRecords(topic, 1_000, 2_000));
    await until("the third thousand logged", () => missingOf(consumer.events, 3_000).length === 0, 60_000);
    await until("all committed", async () => (await own.kafka.committed(env)) === 3_000, 60_000);
    expect(await consumer.stop()).toBe(0);
    // An event whose commit the broker's end has cut off is handled again.
    expect(outOfOrder(consumer.events)).toEqual([]);
  }, 240_000);

  test("is unavailable at SIGTERM: the consumer exits with 0 within its budget", async () => {
    const { topic, env } = await own.kafka.createTopicAndGroup(2);
    await using consumer = startConsumer({ ...env, COMMIT_INTERVAL_MS: "60000", SHUTDOWN_BUDGET_MS: "2000" });
    await own.kafka.write(eventRecords(topic, 100));
    await until("logged", () => consumer.events.length === 100);
    await own.broker.kill();
    expect(await consumer.stop()).toBe(0);
    await own.broker.restart();
    expect(await own.kafka.committed(env)).toBe(0);
  }, 120_000);

  test("is unavailable at the start: live but not ready, and handling events once it is available", async () => {
    const port = await freePort();
    const env = { KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${port}`, KAFKA_TOPIC: "late", KAFKA_GROUP_ID: "late" };
    await using consumer = startConsumer(env);
    await until("the retry logged", () => consumer.hasLogged("Kafka unreachable: retrying"), 60_000);
    expect((await consumer.fetch("/health/live")).status).toBe(200);
    expect((await consumer.fetch("/health/ready")).status).toBe(503);
    await using late = await startBroker({ port });
    await consumer.untilWaiting();
    await using kafkaNow = await KafkaFixture.connect(late.bootstrapServers);
    expect(await kafkaNow.admin.listTopics()).toEqual(expect.arrayContaining(["late", "late.dead-letter"]));
    await kafkaNow.write(eventRecords("late", 100));
    await until("logged", () => consumer.events.length === 100);
    expect(await consumer.stop()).toBe(0);
  }, 180_000);

  // Fault: an empty cluster at the same address: no partitions, no reading, and ready all the time.
  test("is replaced by another cluster's: it says so, and reads the new topic from its beginning", async () => {
    const port = await freePort();
    const env = {
      KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${port}`,
      KAFKA_TOPIC: "moved",
      KAFKA_GROUP_ID: "moved",
      KAFKA_TOPIC_PARTITIONS: "2",
    };
    await using consumer = startConsumer(env);
    {
      await using first = await startBroker({ port });
      await using kafka = await KafkaFixture.connect(first.bootstrapServers);
      await consumer.untilWaiting();
      await kafka.write(eventRecords("moved", 5));
      await until("handled", () => consumer.events.length === 5);
      await until("committed", async () => (await kafka.committed(env)) === 5);
    }
    await using second = await startBroker({ port });
    await consumer.untilLogged("topic missing: there is nothing to read");
    expect((await consumer.fetch("/health/ready")).status).toBe(503);
    await using kafka = await KafkaFixture.connect(second.bootstrapServers);
    await kafka.admin.ensureTopic({ topic: "moved", partitions: 2, replicationFactor: 1 });
    await kafka.write(eventRecords("moved", 10, 5));
    await until("all handled", () => missingOf(consumer.events, 15).length === 0, 90_000);
    await consumer.untilReady();
    expect(consumer.hasLogged("Kafka cluster changed: its id is another one")).toBe(true);
  }, 240_000);

  test("is never available: SIGTERM ends the consumer at once, with 0", async () => {
    const env = { KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${await freePort()}` };
    await using consumer = startConsumer(env);
    await until("started", () => consumer.hasLogged("health server listening"));
    expect(await consumer.stop()).toBe(0);
  }, 60_000);
});
