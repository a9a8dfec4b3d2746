import { describe, expect, test } from "bun:test";
import { KafkaError, type NewTopic, startMockCluster } from "@ingest/kafka";
import { until } from "@ingest/testkit";
import pino from "pino";
import type { TopicLimits } from "../delivery/index.ts";
import { TopicWatch, type TopicWatchOptions } from "./topic-watch.ts";

const events: NewTopic = { topic: "events", partitions: 4, replicationFactor: 1 };
const others: NewTopic = { ...events, topic: "others" };

/** A cluster's topics with their settings, and a watch of them. */
function start(more: Partial<TopicWatchOptions> = {}, topics = [events]) {
  const cluster = {
    topics: new Map<string, Map<string, string>>(),
    isFailing: false,
    refused: 0,
    connections: 0,
    open: 0,
    creations: 0,
    reads: 0,
    configError: undefined as KafkaError | undefined,
  };
  const find = (topic: string) => {
    const found = cluster.topics.get(topic);
    if (found === undefined) throw new KafkaError("unknown_topic", "no such topic");
    return found;
  };
  const limits: [topic: string, limits: TopicLimits][] = [];
  const missing: boolean[] = [];
  const lines: Record<string, unknown>[] = [];
  const watch = new TopicWatch({
    kafka: {},
    isRecreated: true,
    isFailing: () => cluster.isFailing,
    onMissing: (areAllMissing) => missing.push(areAllMissing),
    refused: () => cluster.refused,
    onLimits: (...reading) => limits.push(reading),
    eagerIntervalMs: 1,
    log: pino({}, { write: (line) => void lines.push(JSON.parse(line)) }),
    async connect() {
      cluster.connections++;
      cluster.open++;
      return {
        async ensureTopic({ topic }) {
          if (cluster.topics.has(topic)) return "exists";
          cluster.creations++;
          cluster.topics.set(topic, new Map([["max.message.bytes", "1000"]]));
          return "created";
        },
        async describeTopic(topic) {
          find(topic);
          return { partitions: [] };
        },
        async topicConfig(topic) {
          cluster.reads++;
          if (cluster.configError) throw cluster.configError;
          return find(topic);
        },
        async close() {
          cluster.open--;
        },
      };
    },
    ...more,
  });
  for (const topic of topics) watch.add(topic);
  watch.start();
  const messages = () => lines.map(({ msg }) => msg).filter((msg) => msg !== "topic limits read");
  return { cluster, watch, lines, limits, missing, messages };
}

test("the topic is created once Kafka responds", async () => {
  const cluster = await startMockCluster();
  const watch = new TopicWatch({
    kafka: { "bootstrap.servers": cluster.bootstrapServers },
    isRecreated: true,
    onLimits() {},
    log: pino({ level: "silent" }),
  });
  watch.add(events);
  watch.start();
  expect(watch.isTried).toBe(false);
  await until("the topic", () => watch.state === "ready");
  // Before its limits are known: this cluster never responds to that question.
  await until("the first look", () => watch.isTried, 1_000);
  await watch.stop();
  await cluster.close();
}, 60_000);

test("while Kafka is unreachable it logs that once for all topics and retries, until it is stopped", async () => {
  // Nothing listens on port 1.
  const lines: object[] = [];
  const watch = new TopicWatch({
    kafka: { "bootstrap.servers": "127.0.0.1:1" },
    isRecreated: true,
    onLimits() {},
    attemptTimeoutMs: 200,
    log: pino({}, { write: (line) => void lines.push(JSON.parse(line)) }),
  });
  for (const topic of [events, others]) watch.add(topic);
  watch.start();
  await until("two failed attempts", () => lines.length >= 2);
  expect(watch.isTried).toBe(true);
  expect(watch.state).toBe("pending");
  expect(lines[0]).toMatchObject({ topics: ["events", "others"], code: "broker_unavailable" });
  await watch.stop();
  const logged = lines.length;
  await Bun.sleep(0);
  expect(lines).toHaveLength(logged);
}, 60_000);

test("one admin client looks at all topics, and is closed after each look", async () => {
  const { cluster, watch, limits, messages } = start({}, [events, others]);
  await until("both topics", () => limits.length === 2);
  expect(limits.map(([topic]) => topic)).toEqual(["events", "others"]);
  expect(messages()).toEqual(["topic ready", "topic ready"]);
  await until("the end of the look", () => cluster.open === 0);
  expect(cluster.connections).toBe(1);
  await watch.stop();
});

test("a topic that is added later is created soon, and those that are not ready are named", async () => {
  const { cluster, watch } = start({ intervalMs: 3_600_000 });
  await until("the first topic", () => watch.state === "ready");
  expect(watch.notReady).toEqual([]);
  watch.add(others);
  expect({ state: watch.state, notReady: watch.notReady }).toEqual({
    state: "pending",
    notReady: ["others"],
  });
  await until("the other topic", () => watch.state === "ready");
  expect(cluster.creations).toBe(2);
  await watch.stop();
});

describe("a topic that is deleted later", () => {
  // Fault: readiness said for ever that the topic is there, and no line named it.
  test("is named and created again, as soon as events aren't delivered", async () => {
    const { cluster, watch, lines, messages } = start();
    await until("the topic", () => watch.state === "ready");
    cluster.topics.clear();
    cluster.isFailing = true;
    await until("the topic again", () => cluster.creations === 2);
    cluster.isFailing = false;
    await until("ready", () => watch.state === "ready");
    expect(messages()).toEqual(["topic ready", "topic missing: its events are not delivered", "topic ready"]);
    expect(lines.find(({ msg }) => String(msg).startsWith("topic missing"))).toMatchObject({
      topic: "events",
      code: "unknown_topic",
    });
    await watch.stop();
  });

  test("is named once and not created with KAFKA_TOPIC_RECREATE=false; the others are watched as before", async () => {
    const { cluster, watch, limits, missing, messages } = start({ isRecreated: false }, [events, others]);
    await until("both topics", () => watch.state === "ready");
    cluster.topics.delete("events");
    cluster.isFailing = true;
    await until("missing", () => watch.state === "missing");
    const { length: read } = limits;
    await until("another look", () => limits.length > read, 10_000);
    expect(limits.slice(read).map(([topic]) => topic)).not.toContain("events");
    expect(cluster.creations).toBe(2);
    expect(missing).not.toContain(true);
    cluster.topics.delete("others");
    await until("both to be missing", () => missing.at(-1) === true, 10_000);
    for (const topic of ["events", "others"]) cluster.topics.set(topic, new Map());
    await until("ready", () => watch.state === "ready", 10_000);
    expect(messages()).toEqual([
      "topic ready",
      "topic ready",
      "topic missing: its events are not delivered",
      "topic missing: its events are not delivered",
      "topic ready",
      "topic ready",
    ]);
    expect(missing.at(-1)).toBe(false);
    await watch.stop();
  });
});

describe("a topic's limits", () => {
  test("are read again after the interval, and a change is logged once", async () => {
    const { cluster, limits, lines, watch } = start({ intervalMs: 5 });
    await until("a few readings", () => cluster.reads > 2);
    expect(limits.at(-1)).toEqual(["events", { isCompacted: false, maxBatchBytes: 1_000 }]);
    cluster.topics.set("events", new Map([["cleanup.policy", "compact"]]));
    await until("the change", () => limits.at(-1)![1].isCompacted);
    const { reads } = cluster;
    await until("more readings", () => cluster.reads > reads + 2);
    expect(lines.filter(({ msg }) => msg === "topic limits read")).toHaveLength(2);
    await watch.stop();
  });

  // Fault: for up to a minute after the change each event that the topic forbids had its whole batch sent again.
  test("are read long before that after a refusal", async () => {
    const { cluster, limits, watch } = start({ intervalMs: 3_600_000 });
    await until("the first reading", () => limits.length === 1);
    cluster.topics.set("events", new Map([["max.message.bytes", "500"]]));
    cluster.refused++;
    await until("the second reading", () => limits.length === 2);
    expect(limits[1]![1].maxBatchBytes).toBe(500);
    await watch.stop();
    expect(cluster.reads).toBe(2);
  });

  test("that can't be read are logged once and asked for ever less often, while the topic is watched", async () => {
    const { cluster, lines, limits, watch } = start({
      isFailing: () => true,
    });
    cluster.configError = new KafkaError("authorization", "no right");
    await until("two attempts", () => cluster.reads === 2, 10_000);
    expect(cluster.connections).toBeGreaterThan(2);
    expect(lines.map(({ code }) => code).filter(Boolean)).toEqual(["authorization"]);
    expect(limits).toEqual([]);
    await watch.stop();
  });
});
