// One consumer on a real broker: what it logs, what it commits, and how it ends.
import { afterAll, describe, expect, test } from "bun:test";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "@ingest/broker";
import { temporaryFolder, until } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { type LogLine, ServiceProcess, startConsumer } from "@ingest/testkit/service";
import { eventRecord, eventRecords, missingOf, outOfOrder } from "./event-records.ts";

const kafka = await KafkaFixture.shared();
afterAll(() => kafka[Symbol.asyncDispose]());

/** A consumer whose output goes to a pipe that nobody reads yet. */
async function startUnread(env: Record<string, string>) {
  const folder = temporaryFolder("consumer-output");
  const pipe = join(folder.path, "pipe");
  Bun.spawnSync(["mkfifo", pipe]);
  // A pipe that is open for reading and writing does not block those who open it.
  const fd = openSync(pipe, "r+");
  const port = await freePort();
  const consumer = new ServiceProcess({
    program: "services/consumer/src/main.ts",
    env: { ...env, HEALTH_PORT: String(port) },
    port,
    outputFile: pipe,
  });
  let isOpen = true;
  const closePipe = () => {
    if (isOpen) closeSync(fd);
    isOpen = false;
  };
  return {
    consumer,
    folder: folder.path,
    pipe,
    /** Lets readers of the pipe come to its end. */
    closePipe,
    async [Symbol.asyncDispose]() {
      await consumer[Symbol.asyncDispose]();
      closePipe();
      folder[Symbol.dispose]();
    },
  };
}

describe("a consumer", () => {
  test("logs each event once with its partition and offset, each key in order, and commits them", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(6);
    await kafka.write(eventRecords(topic, 5_000));
    await using consumer = startConsumer(env);
    await until("all logged", () => consumer.events.length >= 5_000);
    await until("all committed", async () => (await kafka.committed(env)) === 5_000);
    expect(await consumer.stop()).toBe(0);
    expect(consumer.textLines).toEqual([]);
    expect(consumer.stderr).toBe("");
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

  test("logs when it waits for messages, is ready then, and reports its lag", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(3);
    await using consumer = startConsumer(env);
    await consumer.untilWaiting();
    expect((await consumer.fetch("/health/live")).status).toBe(200);
    const ready = await consumer.fetch("/health/ready");
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ connected: true, joined: true, partitions: [0, 1, 2] });
    await kafka.write(eventRecords(topic, 100));
    await until(
      "handled",
      async () => (await consumer.metric("ingest_consumer_events_handled_total")) === 100,
    );
    await until("lag 0", async () => (await consumer.metric("ingest_consumer_lag")) === 0);
    expect(await consumer.metric("ingest_consumer_position")).toBe(100);
    expect(await consumer.metric("ingest_consumer_handle_seconds_count")).toBe(100);
    expect(await consumer.metric("ingest_consumer_delay_seconds_count")).toBe(100);
  }, 60_000);

  test("continues where the previous one stopped: each event once", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(6);
    await kafka.write(eventRecords(topic, 2_000));
    await using first = startConsumer(env);
    await until("some logged", () => first.events.length > 0);
    expect(await first.stop()).toBe(0);
    await kafka.write(eventRecords(topic, 1_000, 2_000));
    await using second = startConsumer(env);
    await until("the rest logged", () => first.events.length + second.events.length >= 3_000);
    expect(await second.stop()).toBe(0);
    expect([...first.events, ...second.events]).toHaveLength(3_000);
    expect(missingOf([...first.events, ...second.events], 3_000)).toEqual([]);
  }, 60_000);

  test("after SIGKILL, uncommitted events are handled again, and none is skipped", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(6);
    await kafka.write(eventRecords(topic, 20_000));
    // The kill comes before the first commit.
    await using first = startConsumer({
      ...env,
      COMMIT_INTERVAL_MS: "60000",
      KAFKA_SESSION_TIMEOUT_MS: "6000",
      KAFKA_HEARTBEAT_INTERVAL_MS: "1000",
    });
    await until("some logged", () => first.events.length > 1_000);
    first.kill("SIGKILL");
    await first.exited;
    await using second = startConsumer(env);
    await until(
      "all logged",
      () => missingOf([...first.events, ...second.events], 20_000).length === 0,
      60_000,
    );
    expect(await second.stop()).toBe(0);
    expect(outOfOrder(second.events)).toEqual([]);
    expect(await kafka.committed(env)).toBe(20_000);
  }, 90_000);

  test("commits no event that is not handled: the offset stays while the handler hangs", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(1);
    const stuck = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Promise<Response>(() => {}) });
    await kafka.write(eventRecords(topic, 10));
    await using consumer = startConsumer({
      ...env,
      CONSUMER_HANDLER: "webhook",
      WEBHOOK_URL: stuck.url.href,
      WEBHOOK_TIMEOUT_MS: "600000",
      COMMIT_INTERVAL_MS: "50",
      SHUTDOWN_BUDGET_MS: "200",
      STALL_TIMEOUT_MS: "1000",
      RETRY_BACKOFF_MAX_MS: "500",
    });
    await until("all fetched", async () => (await consumer.metric("ingest_consumer_in_flight")) === 10);
    await until("no longer live", async () => (await consumer.fetch("/health/live")).status === 503);
    expect(await consumer.stop()).toBe(0);
    expect(await kafka.committed(env)).toBe(0);
    await stuck.stop(true);
  }, 60_000);

  test.each(["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"] as const)(
    "%s completes the events in progress, commits them, and leaves the group at once",
    async (signal) => {
      const { topic, env } = await kafka.createTopicAndGroup(2);
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
      await using consumer = startConsumer({
        ...env,
        CONSUMER_HANDLER: "webhook",
        WEBHOOK_URL: slow.url.href,
        CONSUMER_CONCURRENCY: "4",
        COMMIT_INTERVAL_MS: "60000",
      });
      await until("some answered", () => answered > 4);
      consumer.kill(signal);
      expect(await consumer.exited).toBe(0);
      const handled = answered;
      await slow.stop(true);
      const stopped = consumer.lines.find(({ message }) => message === "consumer stopped");
      expect(stopped?.handled).toBe(handled);
      // While events are handled concurrently, the oldest one in progress holds the commit back; here none is left.
      expect(await kafka.committed(env)).toBe(handled);
      expect((await kafka.admin.describeGroup(env.KAFKA_GROUP_ID!)).members).toEqual([]);
    },
    60_000,
  );

  test("output that nobody reads pauses the handling, blocks nothing else, and loses no line", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(6);
    await using unread = await startUnread({
      ...env,
      COMMIT_INTERVAL_MS: "50",
      CONSUMER_BUFFER_RECORDS: "500",
    });
    const { consumer, pipe } = unread;
    const lines = join(unread.folder, "lines");
    // Many users, so that every partition has enough records to be paused.
    await kafka.write(Array.from({ length: 60_000 }, (_, i) => eventRecord(topic, i, { users: 2_000 })));
    await until("paused", async () => (await consumer.metric("ingest_consumer_paused")) === 6, 60_000);
    expect((await consumer.fetch("/health/ready")).status).toBe(200);
    // The pipe holds a part of the lines; a small part of the others is in memory.
    expect(await consumer.metric("ingest_consumer_events_handled_total")).toBeLessThan(30_000);
    expect(await kafka.committed(env)).toBeLessThan(10_000);
    const reader = Bun.spawn(["sh", "-c", `cat "${pipe}" > "${lines}"`]);
    await until("all committed", async () => (await kafka.committed(env)) === 60_000, 60_000);
    expect(await consumer.stop()).toBe(0);
    unread.closePipe();
    await reader.exited;
    const logged = readFileSync(lines, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as LogLine);
    const events = logged.filter(({ message }) => message === "event");
    expect(missingOf(events, 60_000)).toEqual([]);
  }, 120_000);

  // Fault: the last log lines were written by a call that blocks until the pipe is read, and the process never exited.
  test("output that nobody ever reads does not keep it from exiting", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(1);
    await using unread = await startUnread({
      ...env,
      // The automatic format looks at the descriptor, which would make the pipe a non-blocking one.
      LOG_FORMAT: "json",
      SHUTDOWN_BUDGET_MS: "500",
    });
    const { consumer } = unread;
    // More lines than a pipe holds.
    await kafka.write(eventRecords(topic, 3_000));
    await until(
      "a thousand handled",
      async () => (await consumer.metric("ingest_consumer_events_handled_total")) >= 1_000,
    );
    expect(await consumer.stop()).toBe(0);
    expect(await kafka.committed(env)).toBeLessThan(3_000);
  }, 60_000);

  test("a second SIGTERM ends it at once", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(1);
    const stuck = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Promise<Response>(() => {}) });
    await kafka.write(eventRecords(topic, 1));
    await using consumer = startConsumer({
      ...env,
      CONSUMER_HANDLER: "webhook",
      WEBHOOK_URL: stuck.url.href,
    });
    await until("all fetched", async () => (await consumer.metric("ingest_consumer_in_flight")) === 1);
    consumer.kill("SIGTERM");
    await until("stopping", () => consumer.hasLogged("stopping"));
    consumer.kill("SIGTERM");
    expect(await consumer.exited).toBe(1);
    await stuck.stop(true);
  }, 60_000);

  test("invalid settings end it before it connects, each named", async () => {
    await using consumer = startConsumer({
      KAFKA_GROUP_ID: "g",
      CONSUMER_CONCURRENCY: "none",
      KAFKA_GROUP_I: "x",
    });
    expect(await consumer.exited).toBe(2);
    expect(consumer.stderr).toContain("CONSUMER_CONCURRENCY");
    expect(consumer.lines).toEqual([]);
  }, 30_000);
});
