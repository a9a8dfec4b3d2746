// Once-only handling on a real broker: copies in the topic, restarts, and a partition that moves.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sharedBroker } from "@ingest/broker";
import { until } from "@ingest/testkit";
import { ConsumerTest, eventRecord, missingOf } from "./consumer-fixture.ts";

let kafka: ConsumerTest;
const folder = mkdtempSync(join(tmpdir(), "consumer-once-"));
beforeAll(async () => {
  kafka = await ConsumerTest.connect((await sharedBroker()).bootstrapServers);
}, 120_000);
afterEach(() => kafka.endProcesses());
afterAll(async () => {
  await kafka.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("DEDUPLICATE", () => {
  test("an event that is sent three times is handled once, restarts between or not", async () => {
    const { topic, env } = await kafka.topic(4);
    const once = { ...env, DEDUPLICATE: "true", DEDUPLICATE_PATH: join(folder, "a", "seen.sqlite") };
    const copies = () => Array.from({ length: 300 }, (_, i) => eventRecord(topic, i));
    await kafka.write([...copies(), ...copies()]);
    const first = kafka.start(once);
    await until("all committed", async () => (await kafka.committed(env)) === 600);
    expect(await first.figure("ingest_consumer_duplicates_total")).toBe(300);
    expect(await first.stop()).toBe(0);
    await kafka.write(copies());
    const second = kafka.start(once);
    await until("all committed", async () => (await kafka.committed(env)) === 900);
    expect(await second.stop()).toBe(0);
    expect(first.events).toHaveLength(300);
    expect(missingOf(first.events, 300)).toEqual([]);
    expect(second.events).toEqual([]);
  }, 60_000);

  test("what was handled and not committed isn't handled again after a kill, but for the last moments", async () => {
    const { topic, env } = await kafka.topic(4);
    const once = {
      ...env,
      DEDUPLICATE: "true",
      DEDUPLICATE_PATH: join(folder, "b.sqlite"),
      COMMIT_INTERVAL_MS: "60000",
      KAFKA_SESSION_TIMEOUT_MS: "6000",
      KAFKA_HEARTBEAT_INTERVAL_MS: "1000",
    };
    await kafka.write(Array.from({ length: 500 }, (_, i) => eventRecord(topic, i)));
    const first = kafka.start(once);
    await until(
      "all handled",
      async () => (await first.figure("ingest_consumer_events_handled_total")) === 500,
    );
    await until("all remembered", async () => (await first.figure("ingest_consumer_in_flight")) === 0);
    first.signal("SIGKILL");
    await first.exited();
    expect(await kafka.committed(env)).toBe(0);
    const second = kafka.start(once);
    await until("read again", async () => (await second.figure("ingest_consumer_position")) === 500);
    expect(await second.stop()).toBe(0);
    expect(missingOf([...first.events, ...second.events], 500)).toEqual([]);
    // At most the batch whose lines were out and whose ids were not yet written.
    expect(second.events.length).toBeLessThan(500);
    expect(await kafka.committed(env)).toBe(500);
  }, 60_000);

  test("consumers that share the file keep it up when a partition moves", async () => {
    const { topic, env } = await kafka.topic(2);
    const once = { ...env, DEDUPLICATE: "true", DEDUPLICATE_PATH: join(folder, "c.sqlite") };
    const first = kafka.start(once);
    await kafka.write(Array.from({ length: 100 }, (_, i) => eventRecord(topic, i)));
    await until("all committed", async () => (await kafka.committed(env)) === 100);
    const second = kafka.start(once);
    await second.untilWaiting();
    await kafka.write(Array.from({ length: 100 }, (_, i) => eventRecord(topic, i)));
    await until("all committed", async () => (await kafka.committed(env)) === 200);
    expect([...first.events, ...second.events]).toHaveLength(100);
    expect(await second.figure("ingest_consumer_duplicates_total")).toBeGreaterThan(0);
  }, 60_000);
});
