import { expect, test } from "bun:test";
import { KafkaError } from "@ingest/kafka";
import { until } from "@ingest/testkit";
import pino from "pino";
import type { TopicLimits } from "./delivery/index.ts";
import { TopicLimitsPoll, type TopicLimitsPollOptions } from "./topic-limits-poll.ts";

/** A topic's settings, and what a poll makes of them. */
function start(more: Partial<TopicLimitsPollOptions>) {
  const topic = { config: new Map([["max.message.bytes", "1000"]]), refused: 0, reads: 0 };
  const limits: TopicLimits[] = [];
  const lines: Record<string, unknown>[] = [];
  const poll = new TopicLimitsPoll({
    kafka: {},
    topic: "events",
    log: pino({}, { write: (line) => void lines.push(JSON.parse(line)) }),
    onLimits: (latest) => limits.push(latest),
    refused: () => topic.refused,
    async readConfig() {
      topic.reads++;
      return topic.config;
    },
    ...more,
  });
  poll.start();
  return { topic, limits, lines, poll };
}

test("a changed setting is read after the interval, and logged once", async () => {
  const { topic, limits, lines, poll } = start({ intervalMs: 5 });
  await until("a few readings", () => topic.reads > 2);
  expect(limits.at(-1)).toEqual({ isCompacted: false, maxBatchBytes: 1_000 });
  topic.config = new Map([["cleanup.policy", "compact"]]);
  await until("the change", () => limits.at(-1)?.isCompacted === true);
  const { reads } = topic;
  await until("more readings", () => topic.reads > reads + 2);
  expect(lines).toHaveLength(2);
  await poll.stop();
});

// Fault: for up to a minute after the change each event that the topic forbids had its whole batch sent again.
test("a refusal has the settings read long before that", async () => {
  const { topic, limits, poll } = start({ intervalMs: 3_600_000, refusedIntervalMs: 5 });
  await until("the first reading", () => limits.length === 1);
  topic.config = new Map([["max.message.bytes", "500"]]);
  topic.refused++;
  await until("the second reading", () => limits.length === 2);
  expect(limits[1]?.maxBatchBytes).toBe(500);
  await poll.stop();
  expect(topic.reads).toBe(2);
});

test("limits that can't be read are logged once", async () => {
  let reads = 0;
  const { lines, limits, poll } = start({
    async readConfig() {
      reads++;
      throw new KafkaError("authorization", "no right");
    },
  });
  await until("two attempts", () => reads === 2, 10_000);
  expect(lines.map(({ code }) => code)).toEqual(["authorization"]);
  expect(limits).toEqual([]);
  await poll.stop();
});
