// Several consumers of one group on a real broker: assignment, rebalances, members that join, leave and crash.
import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { temporaryFolder, until } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { type ConsumerProcess, type LogLine, startConsumer } from "@ingest/testkit/service";
import { eventRecords, missingOf, outOfOrder } from "./event-records.ts";

const kafka = await KafkaFixture.shared();
afterAll(() => kafka[Symbol.asyncDispose]());

/** The partitions that a consumer holds by its log. */
function assignedTo(lines: readonly LogLine[]): number[] {
  const assigned = new Set<number>();
  for (const { message, partitions } of lines) {
    if (message === "partitions assigned") for (const p of partitions as number[]) assigned.add(p);
    if (message === "partitions revoked") for (const p of partitions as number[]) assigned.delete(p);
  }
  return [...assigned].sort((a, b) => a - b);
}

/** Waits until each of two members holds this many partitions. */
async function untilShared(one: ConsumerProcess, other: ConsumerProcess, partitions: number): Promise<void> {
  await until(
    `${partitions} partitions each`,
    () => [one, other].every(({ lines }) => assignedTo(lines).length === partitions),
    60_000,
  );
}

/** The broker notices a crashed member within seconds. */
const quick = { KAFKA_SESSION_TIMEOUT_MS: "6000", KAFKA_HEARTBEAT_INTERVAL_MS: "500" };

/** The broker assigns the partitions. Its sessions last 45 s at least. */
const brokerManaged = { KAFKA_GROUP_PROTOCOL: "consumer" };

describe("a group", () => {
  test.each<[string, Record<string, string>]>([
    ["cooperative-sticky", quick],
    ["range", { ...quick, KAFKA_PARTITION_ASSIGNMENT_STRATEGY: "range" }],
    ["KIP-848", brokerManaged],
  ])(
    "(%s) shares its partitions, moves them under load, and handles no event twice",
    async (_name, protocol) => {
      const { topic, env: base } = await kafka.createTopicAndGroup(6);
      const env = { ...base, ...protocol };
      await using first = startConsumer({ ...env, COMMIT_INTERVAL_MS: "100" });
      await first.untilWaiting();
      let written = 0;
      let isWriting = true;
      const writing = (async () => {
        while (isWriting) {
          await kafka.write(eventRecords(topic, 500, written));
          written += 500;
        }
      })();
      await until("the first handling", () => first.events.length > 500);
      await using second = startConsumer({ ...env, COMMIT_INTERVAL_MS: "100" });
      await untilShared(second, first, 3);
      expect([...assignedTo(first.lines), ...assignedTo(second.lines)].sort()).toEqual([0, 1, 2, 3, 4, 5]);
      await until("both handling", () => second.events.length > 200);
      // The second leaves after a commit, and its partitions return.
      expect(await second.stop()).toBe(0);
      await until("all back", () => assignedTo(first.lines).length === 6);
      isWriting = false;
      await writing;
      const all = () => [...first.events, ...second.events];
      await until("all logged", () => missingOf(all(), written).length === 0);
      expect(await first.stop()).toBe(0);
      // At both rebalances the events in progress were completed and committed before their partition moved.
      expect(all()).toHaveLength(written);
      expect(outOfOrder(first.events)).toEqual([]);
      expect(outOfOrder(second.events)).toEqual([]);
      expect(await kafka.committed(env)).toBe(written);
    },
    120_000,
  );

  test.each([false, true])(
    "moves partitions while several of their events are in progress (DEDUPLICATE=%p)",
    async (isOnce) => {
      const { topic, env } = await kafka.createTopicAndGroup(6);
      using folder = temporaryFolder("consumer-group");
      const received: LogLine[] = [];
      const receiver = Bun.serve({
        port: 0,
        hostname: "127.0.0.1",
        async fetch(request) {
          const { event_id, user_id, payload } = (await request.json()) as Record<string, unknown>;
          // Some keys are slower than others.
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
        DEDUPLICATE_PATH: join(folder.path, "seen.sqlite"),
      };
      await kafka.write(eventRecords(topic, 3_000));
      await using first = startConsumer(settings);
      await until("the first handling", () => received.length > 200, 60_000);
      await using second = startConsumer(settings);
      await until("shared", () => assignedTo(second.lines).length === 3, 60_000);
      await kafka.write(eventRecords(topic, 1_000, 3_000));
      await until(
        "the second handling",
        async () => (await second.metric("ingest_consumer_events_handled_total")) > 50,
      );
      expect(await second.stop()).toBe(0);
      await until("all committed", async () => (await kafka.committed(env)) === 4_000, 60_000);
      expect(await first.stop()).toBe(0);
      await receiver.stop();
      expect(missingOf(received, 4_000)).toEqual([]);
      expect(outOfOrder(received)).toEqual([]);
      // Without deduplication the next owner repeats events that were handled ahead of the oldest one in progress, since
      // their offsets could not be committed.
      if (isOnce) expect(received).toHaveLength(4_000);
    },
    120_000,
  );

  test.each([
    ["hangs", 200],
    ["fails", 503],
  ])(
    "a member whose handler %s for longer than the poll interval keeps its partitions",
    async (how, status) => {
      const { topic, env } = await kafka.createTopicAndGroup(2);
      let hasRecovered = false;
      const recovered = Promise.withResolvers<void>();
      let asked = 0;
      const receiver = Bun.serve({
        port: 0,
        hostname: "127.0.0.1",
        idleTimeout: 0,
        async fetch() {
          asked++;
          if (how === "hangs") await recovered.promise;
          return new Response("", { status: hasRecovered ? 200 : status });
        },
      });
      const pollIntervalMs = 6_000;
      await using consumer = startConsumer({
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
      await until("the first request", () => asked > 0);
      const askedAt = performance.now();
      await until("more than the poll interval", () => performance.now() - askedAt > 1.5 * pollIntervalMs);
      hasRecovered = true;
      recovered.resolve();
      await until("all committed", async () => (await kafka.committed(env)) === 20);
      expect(await consumer.metric("ingest_consumer_events_handled_total")).toBe(20);
      expect(await consumer.metric("ingest_consumer_partitions_assigned_total")).toBe(2);
      expect(await consumer.metric("ingest_consumer_partitions_lost_total")).toBe(0);
      expect(await consumer.stop()).toBe(0);
      await receiver.stop();
    },
    90_000,
  );

  test("a killed member's partitions move to the others, and its uncommitted events are handled again", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(6);
    await using first = startConsumer({ ...env, ...quick });
    await using second = startConsumer({ ...env, ...quick });
    await untilShared(first, second, 3);
    await kafka.write(eventRecords(topic, 5_000));
    await until("the second handling", () => second.events.length > 100);
    second.kill("SIGKILL");
    await second.exited;
    await kafka.write(eventRecords(topic, 1_000, 5_000));
    await until(
      "all logged",
      () => missingOf([...first.events, ...second.events], 6_000).length === 0,
      60_000,
    );
    await until("all committed", async () => (await kafka.committed(env)) === 6_000);
    expect(assignedTo(first.lines)).toHaveLength(6);
  }, 120_000);

  test("a member that is paused for longer than its session loses its partitions, and rejoins", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(4);
    await using first = startConsumer({ ...env, ...quick });
    await using second = startConsumer({ ...env, ...quick });
    await untilShared(first, second, 2);
    second.kill("SIGSTOP");
    await until("reassigned", () => assignedTo(first.lines).length === 4, 60_000);
    await kafka.write(eventRecords(topic, 1_000));
    await until("handled by the other", () => missingOf(first.events, 1_000).length === 0);
    second.kill("SIGCONT");
    await until("the loss logged", () => second.hasLogged("partitions lost"), 60_000);
    await until("shared again", () => assignedTo(first.lines).length === 2, 60_000);
    await kafka.write(eventRecords(topic, 1_000, 1_000));
    await until("all logged", () => missingOf([...first.events, ...second.events], 2_000).length === 0);
    await until("all committed", async () => (await kafka.committed(env)) === 2_000);
  }, 150_000);

  test("a static member that restarts keeps its partitions, without a rebalance", async () => {
    const { topic, env } = await kafka.createTopicAndGroup(4);
    await using other = startConsumer({ ...env, KAFKA_GROUP_INSTANCE_ID: "other" });
    await using first = startConsumer({ ...env, KAFKA_GROUP_INSTANCE_ID: "restarted" });
    await untilShared(first, other, 2);
    const before = { restarted: assignedTo(first.lines), others: other.lines.length };
    expect(await first.stop()).toBe(0);
    await using again = startConsumer({ ...env, KAFKA_GROUP_INSTANCE_ID: "restarted" });
    await until("assigned", () => assignedTo(again.lines).length > 0, 60_000);
    expect(assignedTo(again.lines)).toEqual(before.restarted);
    expect(other.lines).toHaveLength(before.others);
    await kafka.write(eventRecords(topic, 500));
    await until("all logged", () => missingOf([...other.events, ...again.events], 500).length === 0);
  }, 120_000);

  test("a second process with a static member's id fences the first, which exits with 1", async () => {
    const { env } = await kafka.createTopicAndGroup(2);
    await using first = startConsumer({ ...env, ...quick, KAFKA_GROUP_INSTANCE_ID: "only-one" });
    await first.untilWaiting();
    await using second = startConsumer({ ...env, ...quick, KAFKA_GROUP_INSTANCE_ID: "only-one" });
    await second.untilWaiting();
    expect(await first.exited).toBe(1);
    expect(first.hasLogged("fatal Kafka error: exiting")).toBe(true);
    expect(assignedTo(second.lines)).toEqual([0, 1]);
  }, 90_000);

  test("(KIP-848) a killed member's partitions move to the others, and its uncommitted events are handled again", async () => {
    const { topic, env: base } = await kafka.createTopicAndGroup(6);
    const env = { ...base, ...brokerManaged };
    await using first = startConsumer(env);
    await using second = startConsumer(env);
    await untilShared(first, second, 3);
    await kafka.write(eventRecords(topic, 5_000));
    await until("the second handling", () => second.events.length > 100);
    second.kill("SIGKILL");
    await second.exited;
    const all = () => [...first.events, ...second.events];
    await until("all logged", () => missingOf(all(), 5_000).length === 0, 90_000);
    // The killed member may have logged the rest before it could commit: the others wait for the end of its session.
    await until("all committed", async () => (await kafka.committed(env)) === 5_000, 90_000);
    expect(assignedTo(first.lines)).toHaveLength(6);
  }, 240_000);

  test("(KIP-848) a static member that restarts keeps its partitions; a second process with its id exits with 1", async () => {
    const { topic, env: base } = await kafka.createTopicAndGroup(4);
    const env = { ...base, ...brokerManaged };
    await using other = startConsumer({ ...env, KAFKA_GROUP_INSTANCE_ID: "other" });
    await using first = startConsumer({ ...env, KAFKA_GROUP_INSTANCE_ID: "restarted" });
    await untilShared(first, other, 2);
    const before = { restarted: assignedTo(first.lines), others: assignedTo(other.lines) };
    expect(await first.stop()).toBe(0);
    await using again = startConsumer({ ...env, KAFKA_GROUP_INSTANCE_ID: "restarted" });
    await until("assigned", () => assignedTo(again.lines).length > 0, 60_000);
    expect(assignedTo(again.lines)).toEqual(before.restarted);
    expect(assignedTo(other.lines)).toEqual(before.others);
    await using second = startConsumer({ ...env, KAFKA_GROUP_INSTANCE_ID: "restarted" });
    expect(await second.exited).toBe(1);
    expect(second.hasLogged("fatal Kafka error: exiting")).toBe(true);
    await kafka.write(eventRecords(topic, 500));
    await until("all logged", () => missingOf([...other.events, ...again.events], 500).length === 0);
  }, 150_000);
});
