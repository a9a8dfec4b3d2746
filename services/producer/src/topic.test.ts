import { describe, expect, test } from "bun:test";
import { KafkaError, startMockCluster } from "@ingest/kafka";
import { until } from "@ingest/testkit";
import pino from "pino";
import { TopicStep } from "./topic.ts";

const topic = { topic: "events", partitions: 4, replicationFactor: 1 };

test("the topic is created once Kafka responds", async () => {
  const cluster = await startMockCluster();
  const step = new TopicStep({
    kafka: { "bootstrap.servers": cluster.bootstrapServers },
    topic,
    isRecreated: true,
    log: pino({ level: "silent" }),
  });
  step.start();
  expect(step.isTried).toBe(false);
  await until("the topic", () => step.state === "ready");
  expect(step.isTried).toBe(true);
  await step.stop();
  await cluster.close();
}, 60_000);

test("while Kafka is unreachable it logs that and retries, until it is stopped", async () => {
  const lines: string[] = [];
  const step = new TopicStep({
    // Nothing listens on port 1.
    kafka: { "bootstrap.servers": "127.0.0.1:1" },
    topic,
    isRecreated: true,
    log: pino({}, { write: (line) => void lines.push(line) }),
    attemptTimeoutMs: 200,
  });
  step.start();
  await until("two failed attempts", () => lines.length >= 2);
  expect(step.isTried).toBe(true);
  expect(step.state).toBe("pending");
  expect(JSON.parse(lines[0]!)).toMatchObject({ topic: "events", code: "broker_unavailable" });
  await step.stop();
  const logged = lines.length;
  await Bun.sleep(0);
  expect(lines).toHaveLength(logged);
}, 60_000);

describe("a topic that is deleted later", () => {
  /** A cluster with or without the topic. */
  function start(isRecreated: boolean) {
    const cluster = { hasTopic: false, isFailing: false, looks: 0, creations: 0 };
    const lines: Record<string, unknown>[] = [];
    const step = new TopicStep({
      kafka: {},
      topic,
      isRecreated,
      isFailing: () => cluster.isFailing,
      lookWhenFailingMs: 1,
      log: pino({}, { write: (line) => void lines.push(JSON.parse(line)) }),
      async connect() {
        cluster.looks++;
        return {
          async ensureTopic() {
            if (cluster.hasTopic) return "exists";
            cluster.creations++;
            cluster.hasTopic = true;
            return "created";
          },
          async describeTopic() {
            if (!cluster.hasTopic) throw new KafkaError("unknown_topic", "no such topic");
            return { partitions: [] };
          },
          async close() {},
        };
      },
    });
    step.start();
    const messages = () => lines.map(({ msg }) => msg);
    return { cluster, step, lines, messages };
  }

  // Fault: readiness said for ever that the topic is there, and no line named it.
  test("is named and created again, as soon as events aren't delivered", async () => {
    const { cluster, step, lines, messages } = start(true);
    await until("the topic", () => step.state === "ready");
    cluster.hasTopic = false;
    cluster.isFailing = true;
    await until("the topic again", () => cluster.creations === 2);
    cluster.isFailing = false;
    await until("ready", () => step.state === "ready");
    expect(messages()).toEqual(["topic ready", "topic missing: its events are not delivered", "topic ready"]);
    expect(lines[1]).toMatchObject({ topic: "events", code: "unknown_topic" });
    await step.stop();
  });

  test("is named once and not created with KAFKA_TOPIC_RECREATE=false", async () => {
    const { cluster, step, messages } = start(false);
    await until("the topic", () => step.state === "ready");
    cluster.hasTopic = false;
    cluster.isFailing = true;
    await until("missing", () => step.state === "missing");
    const { looks } = cluster;
    await until("another look", () => cluster.looks > looks, 10_000);
    expect(cluster.creations).toBe(1);
    cluster.hasTopic = true;
    await until("ready", () => step.state === "ready", 10_000);
    expect(messages()).toEqual(["topic ready", "topic missing: its events are not delivered", "topic ready"]);
    await step.stop();
  });
});
