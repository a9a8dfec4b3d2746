import { expect, test } from "bun:test";
import { type KafkaConsumer, KafkaError, type TopicDescription } from "@ingest/kafka";
import type { Log } from "@ingest/service";
import { TopicWatch } from "./topic-watch.ts";

/** A topic as its consumer sees it: its description, or why there is none. */
function watch(seen: { topic: TopicDescription | KafkaError }) {
  const counters = { topicRecreations: 0 };
  const recreated: TopicDescription[] = [];
  const lines: Record<string, unknown>[] = [];
  const write = (fields: object, msg: string) => lines.push({ ...fields, msg });
  const watch = new TopicWatch({
    topic: "events",
    reset: "latest",
    counters,
    log: { info: write, warn: write, error: write } as unknown as Log,
    onRecreated: (topic) => recreated.push(topic),
  });
  const committed = [{ topic: "events", partition: 0, offset: 5 }];
  const consumer = {
    async describeTopic() {
      if (seen.topic instanceof KafkaError) throw seen.topic;
      return seen.topic;
    },
    committed: async () => committed,
    watermarks: async () => ({ low: 0, high: 9 }),
  } as unknown as KafkaConsumer;
  const { promise: looked, resolve } = Promise.withResolvers<void>();
  watch.start(consumer, async () => resolve());
  const starts = () => watch.toStartOffsets([{ topic: "events", partition: 1 }]);
  return { counters, recreated, lines, watch, looked, starts };
}

test("a client that may not describe the topic reads on as before, and says so once", async () => {
  const seen = { topic: new KafkaError("authorization", "Broker: Topic authorization failed") };
  const { lines, looked, starts, watch: topicWatch } = watch(seen);
  await looked;
  expect(await starts()).toEqual([]);
  await starts();
  expect(lines.map(({ msg, code }) => [msg, code])).toEqual([
    ["topic can't be described: its deletion and recreation won't be noticed", "authorization"],
  ]);
  // Unknown, not missing: the consumer is ready.
  expect(topicWatch.state).toBe("unknown");
  topicWatch.stop();
});

test("a topic that is missing, and then another one, is said once each", async () => {
  const topic = { topicId: "L0uP2tmbRG6SwHUZqIWemA", partitions: 2 };
  const seen: { topic: TopicDescription | KafkaError } = { topic };
  const { counters, recreated, lines, looked, starts, watch: topicWatch } = watch(seen);
  await looked;
  seen.topic = new KafkaError("unknown_topic", "no such topic");
  expect(await starts()).toEqual([]);
  await starts();
  expect(topicWatch.state).toBe("missing");
  seen.topic = { ...topic, topicId: "AAAAAAAAAAAAAAAAAAAAAB" };
  expect(await starts()).toEqual([{ topic: "events", partition: 1, offset: 0 }]);
  expect(counters.topicRecreations).toBe(1);
  expect(recreated).toEqual([seen.topic]);
  expect(lines.map(({ msg }) => msg)).toEqual([
    "topic missing: there is nothing to read",
    "topic present again",
    "topic recreated: reading from its beginning",
  ]);
  topicWatch.stop();
});

test("a stored position wins when it is past the committed offset and in the log", async () => {
  const topic = { topicId: "L0uP2tmbRG6SwHUZqIWemA", partitions: 1 };
  const startAt = async (stored: () => Promise<number>) => {
    const topicWatch = new TopicWatch({
      topic: "events",
      reset: "earliest",
      counters: { topicRecreations: 0 },
      log: { info() {}, warn() {}, error() {} } as unknown as Log,
      onRecreated() {},
      storedPositions: async () => [{ topic: "events", partition: 0, offset: await stored() }],
    });
    const consumer = {
      describeTopic: async () => topic,
      committed: async () => [{ topic: "events", partition: 0, offset: 5 }],
      watermarks: async () => ({ low: 0, high: 9 }),
    } as unknown as KafkaConsumer;
    topicWatch.start(consumer, async () => {});
    const starts = await topicWatch.toStartOffsets([{ topic: "events", partition: 0 }]);
    topicWatch.stop();
    return starts.map(({ offset }) => offset);
  };
  expect(await startAt(async () => 7)).toEqual([7]);
  expect(await startAt(async () => 9)).toEqual([9]);
  expect(await startAt(async () => 4)).toEqual([]);
  expect(await startAt(async () => 10)).toEqual([]);
  expect(await startAt(() => Promise.reject(new Error("connection lost")))).toEqual([]);
});
