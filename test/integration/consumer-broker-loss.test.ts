// A broker that isn't there yet, goes, crashes and comes back: the consumer goes on by itself.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Broker, canStartBroker, freePort, startBroker } from "@ingest/broker";
import { until } from "@ingest/testkit";
import { ConsumerProcess, ConsumerTest, eventRecords, missingOf, outOfOrder } from "./consumer-fixture.ts";

describe.skipIf(!canStartBroker())("a consumer whose broker", () => {
  let broker: Broker;
  let kafka: ConsumerTest;
  beforeAll(async () => {
    broker = await startBroker();
    kafka = await ConsumerTest.connect(broker.bootstrapServers);
  }, 120_000);
  afterAll(async () => {
    await kafka?.close();
    await broker?.[Symbol.asyncDispose]();
  }, 60_000);

  test("is stopped and started, and killed and started: nothing is left out, a key's events in order", async () => {
    const { topic, env } = await kafka.topic(6);
    const consumer = kafka.start(env);
    await kafka.write(eventRecords(topic, 1_000));
    await until("the first logged", () => consumer.events.length >= 1_000);
    await broker.stop();
    await until("noticed", async () => (await consumer.get("/health/ready")).status === 503, 60_000);
    expect((await consumer.get("/health/live")).status).toBe(200);
    await broker.restart();
    await kafka.write(eventRecords(topic, 1_000, 1_000));
    await until("the second logged", () => missingOf(consumer.events, 2_000).length === 0, 60_000);
    await until("ready again", async () => (await consumer.get("/health/ready")).status === 200, 60_000);
    await broker.kill();
    await broker.restart();
    await kafka.write(eventRecords(topic, 1_000, 2_000));
    await until("the third logged", () => missingOf(consumer.events, 3_000).length === 0, 60_000);
    await until("all committed", async () => (await kafka.committed(env)) === 3_000, 60_000);
    expect(await consumer.stop()).toBe(0);
    expect(outOfOrder(consumer.events)).toEqual([]);
    expect(consumer.events).toHaveLength(3_000);
  }, 240_000);

  test("is away when it is told to stop: it ends in its time, and with 0", async () => {
    const { topic, env } = await kafka.topic(2);
    const consumer = kafka.start({ ...env, COMMIT_INTERVAL_MS: "60000", SHUTDOWN_BUDGET_MS: "2000" });
    await kafka.write(eventRecords(topic, 100));
    await until("logged", () => consumer.events.length === 100);
    await broker.kill();
    const startedAt = performance.now();
    expect(await consumer.stop()).toBe(0);
    // The budget, leaving the group, and room for a busy machine; nowhere near a session's time-out.
    expect(performance.now() - startedAt).toBeLessThan(25_000);
    await broker.restart();
    expect(await kafka.committed(env)).toBe(0);
  }, 120_000);

  test("isn't there at the start: not ready, live, and it begins when it comes", async () => {
    const port = await freePort();
    const env = { KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${port}`, KAFKA_TOPIC: "late", KAFKA_GROUP_ID: "late" };
    const consumer = new ConsumerProcess(env);
    try {
      await until("it looks for it", () => consumer.has("Kafka unreachable, retrying"), 60_000);
      expect((await consumer.get("/health/live")).status).toBe(200);
      expect((await consumer.get("/health/ready")).status).toBe(503);
      await using late = await startBroker({ port });
      await consumer.untilWaiting();
      const there = await ConsumerTest.connect(late.bootstrapServers);
      expect(await there.admin.listTopics()).toEqual(expect.arrayContaining(["late", "late.dead-letter"]));
      await there.write(eventRecords("late", 100));
      await until("logged", () => consumer.events.length === 100);
      expect(await consumer.stop()).toBe(0);
      await there.close();
    } finally {
      consumer.signal("SIGKILL");
    }
  }, 180_000);

  test("isn't there at all: SIGTERM ends it at once, with 0", async () => {
    const env = { KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${await freePort()}` };
    const consumer = new ConsumerProcess(env);
    await until("started", () => consumer.has("health server listening"));
    expect(await consumer.stop()).toBe(0);
  }, 60_000);
});
