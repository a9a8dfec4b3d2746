import { describe, expect, test } from "bun:test";
import {
  type ConsumedRecord,
  KafkaError,
  type KafkaProducer,
  type ProducerOptions,
  type ProducerRecord,
} from "@ingest/kafka";
import { createLog } from "@ingest/service";
import { DeadLetterTopic, toDeadLetter } from "./dead-letters.ts";
import { toReplayed } from "./replayed.ts";

const record: ConsumedRecord = {
  topic: "events",
  partition: 3,
  offset: 42,
  key: Buffer.from("user"),
  value: Buffer.from("value"),
  timestampMs: 1_700_000_000_000,
  headers: { trace: Buffer.from("t"), "dead-letter-tries": Buffer.from("of a former time") },
};
const why = { reason: "handler_failed", cause: "Error: no", tries: 3 } as const;

/** A dead-letter topic over a producer that gives these outcomes, one a record. */
function start(outcomes: (KafkaError | null | "full")[]) {
  const written: ProducerRecord[] = [];
  let made = 0;
  const createProducer = ({ onOutcome }: ProducerOptions): KafkaProducer => {
    made++;
    return {
      connected: true,
      async connect() {},
      produce({ context, ...letter }) {
        const outcome = outcomes.length > 1 ? outcomes.shift()! : outcomes[0]!;
        if (outcome === "full") return "full";
        written.push(letter);
        queueMicrotask(() => onOutcome(outcome, { topic: letter.topic, partition: 0, offset: 0 }, context));
        return "queued";
      },
      queued: () => ({ messages: 0, bytes: 0 }),
      flush: async () => true,
      close: async () => ({ undelivered: 0 }),
      statistics: () => undefined,
    } as KafkaProducer;
  };
  const letters = new DeadLetterTopic({
    config: {},
    topic: "events.dead-letter",
    backoff: { firstMs: 1, maxMs: 2 },
    log: createLog("test", { LOG_LEVEL: "silent", LOG_FORMAT: "json" }),
    createProducer: createProducer as never,
  });
  return { letters, written, made: () => made };
}

const never = new AbortController().signal;

describe("DeadLetterTopic", () => {
  test("is done when the broker has the letter", async () => {
    const { letters, written } = start([null]);
    expect(await letters.put(record, why, never)).toBe("stored");
    expect(written).toEqual([toDeadLetter("events.dead-letter", record, why)]);
  });

  test("tries again what time can mend", async () => {
    const failure = new KafkaError("broker_unavailable", "away");
    const { letters, written, made } = start([failure, "full", failure, null]);
    expect(await letters.put(record, why, never)).toBe("stored");
    expect(written).toHaveLength(3);
    expect(made()).toBe(1);
  });

  test("makes a new producer when the old one is of no more use", async () => {
    const { letters, made } = start([new KafkaError("fenced", "a newer one took over"), null]);
    expect(await letters.put(record, why, never)).toBe("stored");
    expect(made()).toBe(2);
  });

  test("leaves the value out when it is too large with the headers", async () => {
    const { letters, written } = start([new KafkaError("message_too_large", "too large"), null]);
    expect(await letters.put(record, why, never)).toBe("stored");
    expect(written[1]?.value).toBeNull();
    expect(written[1]?.headers?.["dead-letter-cause"]).toContain("value left out");
    expect(written[1]?.headers?.["dead-letter-original-offset"]).toBe("42");
  });

  test("gives up when its partition is given up", async () => {
    const controller = new AbortController();
    const { letters } = start([new KafkaError("broker_unavailable", "away")]);
    const putting = letters.put(record, why, controller.signal);
    controller.abort();
    expect(await putting).toBe("abandoned");
  });
});

describe("a letter", () => {
  test("carries the record as it was, its own headers too, and where it was", () => {
    expect(toDeadLetter("events.dead-letter", record, why)).toEqual({
      topic: "events.dead-letter",
      key: record.key,
      value: record.value,
      headers: {
        trace: Buffer.from("t"),
        "dead-letter-cause": "Error: no",
        "dead-letter-reason": "handler_failed",
        "dead-letter-tries": "3",
        "dead-letter-original-topic": "events",
        "dead-letter-original-partition": "3",
        "dead-letter-original-offset": "42",
        "dead-letter-original-timestamp": "1700000000000",
      },
    });
  });

  test("put back is the record that it was", () => {
    const { headers, ...rest } = toDeadLetter("events.dead-letter", record, why);
    const letter: ConsumedRecord = {
      ...record,
      ...rest,
      headers: Object.fromEntries(
        Object.entries(headers!).map(([name, value]) => [name, Buffer.from(value as string)]),
      ),
      timestampMs: 99,
    } as ConsumedRecord;
    expect(toReplayed(letter, "events")).toEqual({
      topic: "events",
      key: record.key,
      value: record.value,
      timestampMs: record.timestampMs,
      headers: { trace: Buffer.from("t") },
    });
  });
});
