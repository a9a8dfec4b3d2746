// One consumer on a real broker: what it logs, what it commits, and how it ends.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, sharedBroker } from "@ingest/broker";
import { until } from "@ingest/testkit";
import {
  ConsumerTest,
  eventRecord,
  eventRecords,
  type LogLine,
  missingOf,
  outOfOrder,
} from "./consumer-fixture.ts";

let kafka: ConsumerTest;
/** Ends what a test has started by itself. */
const running: (() => void)[] = [];
beforeAll(async () => {
  kafka = await ConsumerTest.connect((await sharedBroker()).bootstrapServers);
}, 120_000);
afterEach(async () => {
  for (const end of running.splice(0)) end();
  await kafka.endProcesses();
});
afterAll(() => kafka.close());

/** A consumer that writes into a pipe which nobody reads yet. */
async function startUnread(...envs: Record<string, string>[]) {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "consumer-reader-"));
  const pipe = join(folder, "pipe");
  Bun.spawnSync(["mkfifo", pipe]);
  // Open for both, so that opening waits for nobody.
  const fd = openSync(pipe, "r+");
  const consumer = Bun.spawn([process.execPath, "services/consumer/src/main.ts"], {
    cwd: join(import.meta.dir, "../.."),
    env: {
      ...process.env,
      ...Object.assign({}, ...envs),
      HEALTH_PORT: String(port),
      HOST: "127.0.0.1",
    },
    stdout: fd,
  });
  running.push(() => consumer.kill("SIGKILL"));
  return { port, folder, pipe, fd, consumer };
}

describe("a consumer", () => {
  test("logs each event once with its place, a key's in order, and commits them", async () => {
    const { topic, env } = await kafka.topic(6);
    await kafka.write(eventRecords(topic, 5_000));
    const consumer = kafka.start(env);
    await until("all logged", () => consumer.events.length >= 5_000);
    await until("all committed", async () => (await kafka.committed(env)) === 5_000);
    expect(await consumer.stop()).toBe(0);
    expect(consumer.garbled).toEqual([]);
    expect(consumer.errors).toBe("");
    expect(missingOf(consumer.events, 5_000)).toEqual([]);
    expect(consumer.events).toHaveLength(5_000);
    expect(outOfOrder(consumer.events)).toEqual([]);

    const records = await kafka.read(topic);
    const placeOf = new Map(
      records.map(({ partition, offset, value }) => [
        JSON.parse(value!.toString()).event_id,
        `${partition}/${offset}`,
      ]),
    );
    for (const { event_id, partition, offset } of consumer.events)
      expect(`${partition}/${offset}`).toBe(placeOf.get(event_id!)!);
    expect(consumer.events[0]).toMatchObject({
      level: "info",
      name: "consumer",
      topic,
      key: expect.stringMatching(/^user-\d+$/),
      event_type: "test",
      payload: { number: expect.any(Number) },
    });
  }, 60_000);

  test("says when it is waiting, is ready then, and shows its lag", async () => {
    const { topic, env } = await kafka.topic(3);
    const consumer = kafka.start(env);
    await consumer.untilWaiting();
    expect((await consumer.get("/health/live")).status).toBe(200);
    const ready = await consumer.get("/health/ready");
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ connected: true, joined: true, partitions: [0, 1, 2] });
    await kafka.write(eventRecords(topic, 100));
    await until(
      "handled",
      async () => (await consumer.figure("ingest_consumer_events_handled_total")) === 100,
    );
    await until("lag 0", async () => (await consumer.figure("ingest_consumer_lag")) === 0);
    expect(await consumer.figure("ingest_consumer_position")).toBe(100);
    expect(await consumer.figure("ingest_consumer_handle_seconds_count")).toBe(100);
    expect(await consumer.figure("ingest_consumer_delay_seconds_count")).toBe(100);
  }, 60_000);

  test("goes on where the last one stopped: nothing twice, nothing left out", async () => {
    const { topic, env } = await kafka.topic(6);
    await kafka.write(eventRecords(topic, 2_000));
    const first = kafka.start(env);
    await until("some logged", () => first.events.length > 0);
    expect(await first.stop()).toBe(0);
    await kafka.write(eventRecords(topic, 1_000, 2_000));
    const second = kafka.start(env);
    await until("the rest logged", () => first.events.length + second.events.length >= 3_000);
    expect(await second.stop()).toBe(0);
    expect([...first.events, ...second.events]).toHaveLength(3_000);
    expect(missingOf([...first.events, ...second.events], 3_000)).toEqual([]);
  }, 60_000);

  test("killed without warning, handles again what wasn't committed, and leaves out nothing", async () => {
    const { topic, env } = await kafka.topic(6);
    await kafka.write(eventRecords(topic, 20_000));
    // Commits so seldom that the kill falls between two.
    const first = kafka.start({
      ...env,
      COMMIT_INTERVAL_MS: "60000",
      KAFKA_SESSION_TIMEOUT_MS: "6000",
      KAFKA_HEARTBEAT_INTERVAL_MS: "1000",
    });
    await until("some logged", () => first.events.length > 1_000);
    first.signal("SIGKILL");
    await first.exited();
    const second = kafka.start(env);
    await until(
      "all logged",
      () => missingOf([...first.events, ...second.events], 20_000).length === 0,
      60_000,
    );
    expect(await second.stop()).toBe(0);
    expect(outOfOrder(second.events)).toEqual([]);
    expect(await kafka.committed(env)).toBe(20_000);
  }, 90_000);

  test("commits nothing that isn't handled: a stuck handler's offset stays", async () => {
    const { topic, env } = await kafka.topic(1);
    const stuck = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Promise<Response>(() => {}) });
    await kafka.write(eventRecords(topic, 10));
    const consumer = kafka.start({
      ...env,
      CONSUMER_HANDLER: "webhook",
      WEBHOOK_URL: stuck.url.href,
      WEBHOOK_TIMEOUT_MS: "600000",
      COMMIT_INTERVAL_MS: "50",
      SHUTDOWN_BUDGET_MS: "200",
      STALL_TIMEOUT_MS: "1000",
      RETRY_BACKOFF_MAX_MS: "500",
    });
    await until("taken up", async () => (await consumer.figure("ingest_consumer_in_flight")) === 10);
    await until("no longer live", async () => (await consumer.get("/health/live")).status === 503);
    expect(await consumer.stop()).toBe(0);
    expect(await kafka.committed(env)).toBe(0);
    await stuck.stop(true);
  }, 60_000);

  test("SIGTERM finishes what is under way, commits it, and leaves the group at once", async () => {
    const { topic, env } = await kafka.topic(2);
    let answered = 0;
    const slow = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      async fetch() {
        await Bun.sleep(150);
        answered++;
        return new Response();
      },
    });
    await kafka.write(eventRecords(topic, 200));
    const consumer = kafka.start({
      ...env,
      CONSUMER_HANDLER: "webhook",
      WEBHOOK_URL: slow.url.href,
      CONSUMER_CONCURRENCY: "4",
      COMMIT_INTERVAL_MS: "60000",
    });
    await until("some answered", () => answered > 4);
    expect(await consumer.stop()).toBe(0);
    const handled = answered;
    await slow.stop(true);
    const stopped = consumer.lines.find(({ message }) => message === "consumer stopped");
    expect(stopped?.handled).toBe(handled);
    // With several at once the oldest open one holds the commit back, but at the end none is open.
    expect(await kafka.committed(env)).toBe(handled);
    expect((await kafka.admin.describeGroup(env.KAFKA_GROUP_ID!)).members).toEqual([]);
  }, 60_000);

  test("a reader that doesn't read its lines holds up the handling, not the process, and loses none", async () => {
    const { topic, env } = await kafka.topic(6);
    const { port, folder, pipe, fd, consumer } = await startUnread(env, {
      COMMIT_INTERVAL_MS: "50",
      CONSUMER_BUFFER_RECORDS: "500",
    });
    const lines = join(folder, "lines");
    const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
    const figure = async (name: string) => {
      const text = (await (await get("/metrics"))?.text()) ?? "";
      return [...text.matchAll(new RegExp(`^${name}\\b.* (\\d+)$`, "gm"))].reduce(
        (sum, [, n]) => sum + Number(n),
        0,
      );
    };
    // Many users, so that no partition has too few to be paused.
    await kafka.write(Array.from({ length: 60_000 }, (_, i) => eventRecord(topic, i, { users: 2_000 })));
    await until("paused", async () => (await figure("ingest_consumer_paused")) === 6, 60_000);
    expect((await get("/health/ready"))?.status).toBe(200);
    // What a pipe holds may be out; the rest waits, and far less than all of it is in memory.
    expect(await figure("ingest_consumer_events_handled_total")).toBeLessThan(30_000);
    expect(await kafka.committed(env)).toBeLessThan(10_000);
    const reader = Bun.spawn(["sh", "-c", `cat "${pipe}" > "${lines}"`]);
    await until("all committed", async () => (await kafka.committed(env)) === 60_000, 60_000);
    consumer.kill("SIGTERM");
    expect(await consumer.exited).toBe(0);
    closeSync(fd);
    await reader.exited;
    const logged = readFileSync(lines, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as LogLine);
    expect(
      missingOf(
        logged.filter(({ message }) => message === "event"),
        60_000,
      ),
    ).toEqual([]);
    rmSync(folder, { recursive: true, force: true });
  }, 120_000);

  // Fault: the last words went to the pipe by a call that waits for its reader, and the process never ended.
  test("a reader that never reads doesn't keep it from ending", async () => {
    const { topic, env } = await kafka.topic(1);
    const { port, folder, fd, consumer } = await startUnread(env, {
      // Said, and not found out by looking at the pipe, which would make it one that does not block.
      LOG_FORMAT: "json",
      SHUTDOWN_BUDGET_MS: "500",
    });
    // More lines than a pipe holds.
    await kafka.write(eventRecords(topic, 3_000));
    const figures = () =>
      fetch(`http://127.0.0.1:${port}/metrics`).then(
        (response) => response.text(),
        () => "",
      );
    await until("handling", async () => /events_handled_total [1-9]\d{3}/.test(await figures()));
    consumer.kill("SIGTERM");
    expect(await consumer.exited).toBe(0);
    closeSync(fd);
    expect(await kafka.committed(env)).toBeLessThan(3_000);
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  test("a second SIGTERM ends it at once", async () => {
    const { topic, env } = await kafka.topic(1);
    const stuck = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Promise<Response>(() => {}) });
    await kafka.write(eventRecords(topic, 1));
    const consumer = kafka.start({ ...env, CONSUMER_HANDLER: "webhook", WEBHOOK_URL: stuck.url.href });
    await until("taken up", async () => (await consumer.figure("ingest_consumer_in_flight")) === 1);
    consumer.signal("SIGTERM");
    await until("stopping", () => consumer.has("stopping"));
    consumer.signal("SIGTERM");
    expect(await consumer.exited()).toBe(1);
    await stuck.stop(true);
  }, 60_000);

  test("settings that can't be used end it before it connects, each named", async () => {
    const consumer = kafka.start({ KAFKA_GROUP_ID: "g", CONSUMER_CONCURRENCY: "none", KAFKA_GROUP_I: "x" });
    expect(await consumer.exited()).toBe(2);
    expect(consumer.errors).toContain("CONSUMER_CONCURRENCY");
    expect(consumer.lines).toEqual([]);
  }, 30_000);
});
