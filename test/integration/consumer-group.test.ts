// Several consumers of one group on a real broker: sharing, coming, going, dying.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sharedBroker } from "@ingest/broker";
import { until } from "@ingest/testkit";
import { ConsumerTest, eventRecords, type LogLine, missingOf, outOfOrder } from "./consumer-fixture.ts";

let kafka: ConsumerTest;
beforeAll(async () => {
  kafka = await ConsumerTest.connect((await sharedBroker()).bootstrapServers);
}, 120_000);
afterEach(() => kafka.endProcesses());
afterAll(() => kafka.close());

/** Which partitions it says it has come to have, all in all. */
function assignedTo(lines: readonly LogLine[]): number[] {
  const mine = new Set<number>();
  for (const { message, partitions } of lines) {
    if (message === "partitions assigned") for (const p of partitions as number[]) mine.add(p);
    if (message === "partitions revoked") for (const p of partitions as number[]) mine.delete(p);
  }
  return [...mine].sort((a, b) => a - b);
}

/** A member that is gone is noticed within seconds. */
const quick = { KAFKA_SESSION_TIMEOUT_MS: "6000", KAFKA_HEARTBEAT_INTERVAL_MS: "500" };

describe("a group", () => {
  test.each(["cooperative-sticky", "range"])(
    "(%s) shares its partitions, hands them over under load, and handles nothing twice",
    async (strategy) => {
      const { topic, env: base } = await kafka.topic(6);
      const env = { ...base, KAFKA_PARTITION_ASSIGNMENT_STRATEGY: strategy };
      const first = kafka.start({ ...env, ...quick, COMMIT_INTERVAL_MS: "100" });
      await first.untilWaiting();
      let written = 0;
      let isWriting = true;
      const writing = (async () => {
        while (isWriting) {
          await kafka.write(eventRecords(topic, 500, written));
          written += 500;
        }
      })();
      await until("the first at work", () => first.events.length > 500);
      const second = kafka.start({ ...env, ...quick, COMMIT_INTERVAL_MS: "100" });
      await until(
        "shared",
        () => assignedTo(second.lines).length === 3 && assignedTo(first.lines).length === 3,
      );
      expect([...assignedTo(first.lines), ...assignedTo(second.lines)].sort()).toEqual([0, 1, 2, 3, 4, 5]);
      await until("both at work", () => second.events.length > 200);
      // The second goes in order: its partitions come back, committed.
      expect(await second.stop()).toBe(0);
      await until("all back", () => assignedTo(first.lines).length === 6);
      isWriting = false;
      await writing;
      const all = () => [...first.events, ...second.events];
      await until("all logged", () => missingOf(all(), written).length === 0);
      expect(await first.stop()).toBe(0);
      // Both hand-overs were in order: finished and committed before the partition went.
      expect(all()).toHaveLength(written);
      expect(outOfOrder(first.events)).toEqual([]);
      expect(outOfOrder(second.events)).toEqual([]);
      expect(await kafka.committed(env)).toBe(written);
    },
    120_000,
  );

  test.each([false, true])(
    "hands partitions over with several events of each at work (DEDUPLICATE=%p)",
    async (isOnce) => {
      const { topic, env } = await kafka.topic(6);
      const folder = mkdtempSync(join(tmpdir(), "consumer-group-"));
      const received: LogLine[] = [];
      const receiver = Bun.serve({
        port: 0,
        hostname: "127.0.0.1",
        async fetch(request) {
          const { event_id, user_id, payload } = (await request.json()) as Record<string, unknown>;
          // The keys get on differently.
          await Bun.sleep((payload as { number: number }).number % 7);
          received.push({ level: "", message: "", event_id, key: user_id, payload } as LogLine);
          return new Response();
        },
      });
      const settings = {
        ...env,
        ...quick,
        CONSUMER_HANDLER: "webhook",
        WEBHOOK_URL: receiver.url.href,
        CONSUMER_CONCURRENCY: "8",
        COMMIT_INTERVAL_MS: "100",
        DEDUPLICATE: String(isOnce),
        DEDUPLICATE_PATH: join(folder, "seen.sqlite"),
      };
      await kafka.write(eventRecords(topic, 3_000));
      const first = kafka.start(settings);
      await until("the first at work", () => received.length > 200, 60_000);
      const second = kafka.start(settings);
      await until("shared", () => assignedTo(second.lines).length === 3, 60_000);
      await kafka.write(eventRecords(topic, 1_000, 3_000));
      await until(
        "the second at work",
        async () => (await second.figure("ingest_consumer_events_handled_total")) > 50,
      );
      expect(await second.stop()).toBe(0);
      await until("all committed", async () => (await kafka.committed(env)) === 4_000, 60_000);
      expect(await first.stop()).toBe(0);
      await receiver.stop();
      expect(missingOf(received, 4_000)).toEqual([]);
      expect(outOfOrder(received)).toEqual([]);
      // Without it what was done ahead of the oldest open event, and so not committed, is done again by the next owner.
      if (isOnce) expect(received).toHaveLength(4_000);
      rmSync(folder, { recursive: true, force: true });
    },
    120_000,
  );

  test.each([
    ["hangs", 200],
    ["fails", 503],
  ])(
    "a member whose handler %s for longer than the poll interval keeps its partitions",
    async (how, status) => {
      const { topic, env } = await kafka.topic(2);
      let isWell = false;
      const well = Promise.withResolvers<void>();
      let asked = 0;
      const receiver = Bun.serve({
        port: 0,
        hostname: "127.0.0.1",
        idleTimeout: 0,
        async fetch() {
          asked++;
          if (how === "hangs") await well.promise;
          return new Response("", { status: isWell ? 200 : status });
        },
      });
      const pollIntervalMs = 6_000;
      const consumer = kafka.start({
        ...env,
        ...quick,
        KAFKA_MAX_POLL_INTERVAL_MS: String(pollIntervalMs),
        REBALANCE_BUDGET_MS: "1000",
        RETRY_MAX_TRIES: "0",
        RETRY_BACKOFF_MAX_MS: "1000",
        CONSUMER_HANDLER: "webhook",
        WEBHOOK_URL: receiver.url.href,
        WEBHOOK_TIMEOUT_MS: "60000",
      });
      await consumer.untilWaiting();
      await kafka.write(eventRecords(topic, 20));
      await until("asked", () => asked > 0);
      const askedAt = performance.now();
      await until("longer than the interval", () => performance.now() - askedAt > 1.5 * pollIntervalMs);
      isWell = true;
      well.resolve();
      await until("all committed", async () => (await kafka.committed(env)) === 20);
      expect(await consumer.figure("ingest_consumer_events_handled_total")).toBe(20);
      expect(await consumer.figure("ingest_consumer_partitions_assigned_total")).toBe(2);
      expect(await consumer.figure("ingest_consumer_partitions_lost_total")).toBe(0);
      expect(await consumer.stop()).toBe(0);
      await receiver.stop();
    },
    90_000,
  );

  test("a member that is killed is replaced, and what it had not committed is handled again", async () => {
    const { topic, env } = await kafka.topic(6);
    const [first, second] = [kafka.start({ ...env, ...quick }), kafka.start({ ...env, ...quick })];
    await until(
      "shared",
      () => assignedTo(first.lines).length === 3 && assignedTo(second.lines).length === 3,
      60_000,
    );
    await kafka.write(eventRecords(topic, 5_000));
    await until("at work", () => second.events.length > 100);
    second.signal("SIGKILL");
    await second.exited();
    await kafka.write(eventRecords(topic, 1_000, 5_000));
    await until(
      "all logged",
      () => missingOf([...first.events, ...second.events], 6_000).length === 0,
      60_000,
    );
    await until("all committed", async () => (await kafka.committed(env)) === 6_000);
    expect(assignedTo(first.lines)).toHaveLength(6);
  }, 120_000);

  test("a member that was frozen for longer than the session has lost its partitions, and takes part again", async () => {
    const { topic, env } = await kafka.topic(4);
    const [first, second] = [kafka.start({ ...env, ...quick }), kafka.start({ ...env, ...quick })];
    await until(
      "shared",
      () => assignedTo(first.lines).length === 2 && assignedTo(second.lines).length === 2,
      60_000,
    );
    second.signal("SIGSTOP");
    await until("taken over", () => assignedTo(first.lines).length === 4, 60_000);
    await kafka.write(eventRecords(topic, 1_000));
    await until("handled by the other", () => missingOf(first.events, 1_000).length === 0);
    second.signal("SIGCONT");
    await until("noticed", () => second.has("partitions lost"), 60_000);
    await until("shared again", () => assignedTo(first.lines).length === 2, 60_000);
    await kafka.write(eventRecords(topic, 1_000, 1_000));
    await until("all logged", () => missingOf([...first.events, ...second.events], 2_000).length === 0);
    await until("all committed", async () => (await kafka.committed(env)) === 2_000);
  }, 150_000);

  test("a static member that restarts gets its partitions back, and no other notices", async () => {
    const { topic, env } = await kafka.topic(4);
    const other = kafka.start({ ...env, KAFKA_GROUP_INSTANCE_ID: "other" });
    const first = kafka.start({ ...env, KAFKA_GROUP_INSTANCE_ID: "restarted" });
    await until(
      "shared",
      () => assignedTo(first.lines).length === 2 && assignedTo(other.lines).length === 2,
      60_000,
    );
    const before = { restarted: assignedTo(first.lines), others: other.lines.length };
    expect(await first.stop()).toBe(0);
    const again = kafka.start({ ...env, KAFKA_GROUP_INSTANCE_ID: "restarted" });
    await until("assigned", () => assignedTo(again.lines).length > 0, 60_000);
    expect(assignedTo(again.lines)).toEqual(before.restarted);
    expect(other.lines).toHaveLength(before.others);
    await kafka.write(eventRecords(topic, 500));
    await until("all logged", () => missingOf([...other.events, ...again.events], 500).length === 0);
  }, 120_000);

  test("a second process under a static member's name shuts the first out, which ends with 1", async () => {
    const { env } = await kafka.topic(2);
    const first = kafka.start({ ...env, ...quick, KAFKA_GROUP_INSTANCE_ID: "only-one" });
    await first.untilWaiting();
    const second = kafka.start({ ...env, ...quick, KAFKA_GROUP_INSTANCE_ID: "only-one" });
    await second.untilWaiting();
    expect(await first.exited()).toBe(1);
    expect(first.has("fatal Kafka error: exiting")).toBe(true);
    expect(assignedTo(second.lines)).toEqual([0, 1]);
  }, 90_000);
});
