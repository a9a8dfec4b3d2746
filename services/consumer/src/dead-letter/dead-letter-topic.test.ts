import { describe, expect, test } from "bun:test";
import {
  type ConsumedRecord,
  KafkaError,
  type KafkaProducer,
  type ProducerOptions,
  type ProducerRecord,
} from "@ingest/kafka";
import { createLog } from "@ingest/service";
import { DeadLetterTopic, toDeadLetter } from "./dead-letter-topic.ts";
import { toOriginalRecord } from "./original-record.ts";

const record: ConsumedRecord = {
  topic: "events",
  partition: 3,
  offset: 42,
  key: Buffer.from("user"),
  value: Buffer.from("value"),
  timestampMs: 1_700_000_000_000,
  headers: [
    ["trace", Buffer.from("t")],
    ["dead-letter-tries", Buffer.from("from an earlier dead letter")],
    ["trace", null],
    ["__proto__", Buffer.from("p")],
  ],
};
const why = { reason: "handler_failed", cause: "Error: no", tries: 3 } as const;

/** A dead-letter topic with a fake producer that reports these outcomes, one for each record. */
function start(outcomes: (KafkaError | null | "full")[]) {
  const written: ProducerRecord[] = [];
  let producers = 0;
  const createProducer = ({ onOutcome }: ProducerOptions): KafkaProducer => {
    producers++;
    return {
      connected: true,
      async connect() {},
      produce({ context, ...deadLetter }) {
        const outcome = outcomes.length > 1 ? outcomes.shift()! : outcomes[0]!;
        if (outcome === "full") return "full";
        written.push(deadLetter);
        queueMicrotask(() =>
          onOutcome(outcome, { topic: deadLetter.topic, partition: 0, offset: 0 }, context),
        );
        return "queued";
      },
      queued: () => ({ messages: 0, bytes: 0 }),
      flush: async () => true,
      close: async () => ({ undelivered: 0 }),
      statistics: () => undefined,
    } as KafkaProducer;
  };
  const deadLetters = new DeadLetterTopic({
    config: {},
    topic: "events.dead-letter",
    backoff: { firstMs: 1, maxMs: 2 },
    log: createLog("test", { LOG_LEVEL: "silent", LOG_FORMAT: "json" }),
    createProducer: createProducer as never,
  });
  return { deadLetters, written, producerCount: () => producers };
}

const never = new AbortController().signal;

describe("DeadLetterTopic", () => {
  test("resolves when the broker has stored the dead letter", async () => {
    const { deadLetters, written } = start([null]);
    expect(await deadLetters.write(record, why, never)).toBe("stored");
    expect(written).toEqual([toDeadLetter("events.dead-letter", record, why)]);
  });

  test("retries temporary failures", async () => {
    const failure = new KafkaError("broker_unavailable", "no broker");
    const { deadLetters, written, producerCount } = start([failure, "full", failure, null]);
    expect(await deadLetters.write(record, why, never)).toBe("stored");
    expect(written).toHaveLength(3);
    expect(producerCount()).toBe(1);
  });

  test("replaces a producer after a fatal error", async () => {
    const { deadLetters, producerCount } = start([new KafkaError("fenced", "a newer one took over"), null]);
    expect(await deadLetters.write(record, why, never)).toBe("stored");
    expect(producerCount()).toBe(2);
  });

  test("omits a value that is too large with the headers", async () => {
    const { deadLetters, written } = start([new KafkaError("message_too_large", "too large"), null]);
    expect(await deadLetters.write(record, why, never)).toBe("stored");
    expect(written[1]?.value).toBeNull();
    expect(new Map(written[1]!.headers).get("dead-letter-cause")).toContain("value left out");
    expect(new Map(written[1]!.headers).get("dead-letter-original-offset")).toBe("42");
  });

  test("stops retrying when its partition is revoked", async () => {
    const controller = new AbortController();
    const { deadLetters } = start([new KafkaError("broker_unavailable", "no broker")]);
    const writing = deadLetters.write(record, why, controller.signal);
    controller.abort();
    expect(await writing).toBe("abandoned");
  });
});

describe("a dead letter", () => {
  test("contains the original record with its headers, and its topic, partition and offset", () => {
    expect(toDeadLetter("events.dead-letter", record, why)).toEqual({
      topic: "events.dead-letter",
      key: record.key,
      value: record.value,
      headers: [
        ["trace", Buffer.from("t")],
        ["trace", null],
        ["__proto__", Buffer.from("p")],
        ["dead-letter-cause", "Error: no"],
        ["dead-letter-reason", "handler_failed"],
        ["dead-letter-tries", "3"],
        ["dead-letter-original-topic", "events"],
        ["dead-letter-original-partition", "3"],
        ["dead-letter-original-offset", "42"],
        ["dead-letter-original-timestamp", "1700000000000"],
      ],
    });
  });

  test("is restored to the original record", () => {
    const { headers, ...rest } = toDeadLetter("events.dead-letter", record, why);
    const deadLetter: ConsumedRecord = {
      ...record,
      ...rest,
      headers: headers!.map(([name, value]) => [name, value && Buffer.from(value)]),
      timestampMs: 99,
    } as ConsumedRecord;
    expect(toOriginalRecord(deadLetter, "events")).toEqual({
      topic: "events",
      key: record.key,
      value: record.value,
      timestampMs: record.timestampMs,
      headers: [
        ["trace", Buffer.from("t")],
        ["trace", null],
        ["__proto__", Buffer.from("p")],
      ],
    });
  });
});
