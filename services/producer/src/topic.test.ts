import { expect, test } from "bun:test";
import { startMockCluster } from "@ingest/kafka";
import { until } from "@ingest/testkit";
import pino from "pino";
import { TopicStep } from "./topic.ts";

const topic = { topic: "events", partitions: 4, replicationFactor: 1 };

test("the topic is created once Kafka responds", async () => {
  const cluster = await startMockCluster();
  const step = new TopicStep({
    kafka: { "bootstrap.servers": cluster.bootstrapServers },
    topic,
    log: pino({ level: "silent" }),
  });
  step.start();
  expect(step.isTried).toBe(false);
  await until("the topic", () => step.exists);
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
    log: pino({}, { write: (line) => void lines.push(line) }),
    attemptTimeoutMs: 200,
  });
  step.start();
  await until("two failed attempts", () => lines.length >= 2);
  expect(step.isTried).toBe(true);
  expect(step.exists).toBe(false);
  expect(JSON.parse(lines[0]!)).toMatchObject({ topic: "events", code: "broker_unavailable" });
  await step.stop();
  const logged = lines.length;
  await Bun.sleep(0);
  expect(lines).toHaveLength(logged);
}, 60_000);
