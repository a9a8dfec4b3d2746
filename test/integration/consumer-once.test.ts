// Deduplication on a real broker: repeated events, restarts, and partitions that move.
import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { temporaryFolder, until } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { startConsumer } from "@ingest/testkit/service";
import { eventRecord, missingOf } from "./event-records.ts";

const kafka = await KafkaFixture.shared();
const folder = temporaryFolder("consumer-once");
afterAll(async () => {
  await kafka[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

describe("DEDUPLICATE", () => {
  test("an event that is sent three times is handled once, also across a restart", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(4);
    const settings = { ...env, DEDUPLICATE: "true", DEDUPLICATE_PATH: join(folder.path, "a", "seen.sqlite") };
    const copies = () => Array.from({ length: 300 }, (_, i) => eventRecord(topic, i));
    await kafka.write([...copies(), ...copies()]);
    await using first = startConsumer(settings);
    await until("all committed", async () => (await kafka.committed(env)) === 600);
    expect(await first.metric("ingest_consumer_duplicates_total")).toBe(300);
    expect(await first.stop()).toBe(0);
    await kafka.write(copies());
    await using second = startConsumer(settings);
    await until("all committed", async () => (await kafka.committed(env)) === 900);
    expect(await second.stop()).toBe(0);
    expect(first.events).toHaveLength(300);
    expect(missingOf(first.events, 300)).toEqual([]);
    expect(second.events).toEqual([]);
  }, 60_000);

  test("after SIGKILL, handled but uncommitted events are not handled again, except for the last batch", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(4);
    const settings = {
      ...env,
      DEDUPLICATE: "true",
      DEDUPLICATE_PATH: join(folder.path, "b.sqlite"),
      COMMIT_INTERVAL_MS: "60000",
      KAFKA_SESSION_TIMEOUT_MS: "6000",
      KAFKA_HEARTBEAT_INTERVAL_MS: "1000",
    };
    await kafka.write(Array.from({ length: 500 }, (_, i) => eventRecord(topic, i)));
    await using first = startConsumer(settings);
    await until(
      "all handled",
      async () => (await first.metric("ingest_consumer_events_handled_total")) === 500,
    );
    await until("all ids written", async () => (await first.metric("ingest_consumer_in_flight")) === 0);
    first.kill("SIGKILL");
    await first.exited;
    expect(await kafka.committed(env)).toBe(0);
    await using second = startConsumer(settings);
    await until("read again", async () => (await second.metric("ingest_consumer_position")) === 500);
    expect(await second.stop()).toBe(0);
    expect(missingOf([...first.events, ...second.events], 500)).toEqual([]);
    // At most the batch that was logged before its ids were written.
    expect(second.events.length).toBeLessThan(500);
    expect(await kafka.committed(env)).toBe(500);
  }, 60_000);

  test("consumers that share the file deduplicate across a rebalance", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(2);
    const settings = { ...env, DEDUPLICATE: "true", DEDUPLICATE_PATH: join(folder.path, "c.sqlite") };
    await using first = startConsumer(settings);
    await kafka.write(Array.from({ length: 100 }, (_, i) => eventRecord(topic, i)));
    await until("all committed", async () => (await kafka.committed(env)) === 100);
    await using second = startConsumer(settings);
    await second.untilWaiting();
    await kafka.write(Array.from({ length: 100 }, (_, i) => eventRecord(topic, i)));
    await until("all committed", async () => (await kafka.committed(env)) === 200);
    expect([...first.events, ...second.events]).toHaveLength(100);
    expect(await second.metric("ingest_consumer_duplicates_total")).toBeGreaterThan(0);
  }, 60_000);
});
