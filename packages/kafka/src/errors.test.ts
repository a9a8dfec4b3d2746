import { describe, expect, test } from "bun:test";
import { KafkaError, type KafkaErrorCode, kafkaErrors, toKafkaError, toKafkaErrorCode } from "./errors.ts";

describe("the table", () => {
  test("contains no librdkafka code twice", () => {
    const numbers = Object.values(kafkaErrors).flatMap((kind) => [...kind.rdkafkaCodes]);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  // Of a produce request, by Kafka's ProduceResponse and the client's own checks.
  test("contains each code with which a record can be refused", () => {
    const broker = [
      2, 3, 5, 6, 7, 10, 17, 18, 19, 20, 21, 29, 31, 32, 35, 43, 45, 46, 47, 53, 56, 59, 74, 75, 76,
    ];
    const client = [-138, -148, -149, -150, -151, -152, -172, -184, -188, -190, -192, -195, -197, -199];
    const codes = [...broker, 87, 89, 90, 100, ...client].filter((n) => toKafkaErrorCode(n) === "unknown");
    expect(codes).toEqual([]);
  });

  test.each([
    [-184, "queue_full"],
    [-192, "timed_out"],
    [-195, "broker_unavailable"],
    [-187, "broker_unavailable"],
    [3, "unknown_topic"],
    [10, "message_too_large"],
    [58, "authentication"],
    [29, "authorization"],
    [47, "fenced"],
    [-150, "fatal"],
    [12345, "unknown"],
  ] as [number, KafkaErrorCode][])("%p is %p", (number, code) => {
    expect(toKafkaErrorCode(number)).toBe(code);
  });
});

describe("what a refused delivery blames", () => {
  test.each([
    [10, "record"],
    [87, "record"],
    [44, "record"],
    [-138, "batch"],
    // INVALID_TIMESTAMP counted against the record: a wrong clock had every event rejected for good.
    [32, "setting"],
    [29, "setting"],
    [17, "setting"],
    [76, "setting"],
    [3, "setting"],
    [61, "setting"],
    [73, "setting"],
    [2, "time"],
    [19, "time"],
    [-192, "time"],
    [-150, "time"],
    [12345, "time"],
  ] as const)("%p: %s", (number, fault) => {
    expect(toKafkaError(number).fault).toBe(fault);
  });
});

describe("toKafkaError", () => {
  test("keeps the code and the message of the client's error", () => {
    const error = toKafkaError(Object.assign(new Error("Broker: Message size too large"), { code: 10 }));
    expect(error).toBeInstanceOf(KafkaError);
    expect(error).toMatchObject({
      code: "message_too_large",
      rdkafkaCode: 10,
      canRetry: false,
      isFatal: false,
      message: "Broker: Message size too large",
    });
  });

  test("accepts a bare code", () => {
    expect(toKafkaError(-184)).toMatchObject({ code: "queue_full", rdkafkaCode: -184, canRetry: true });
  });

  test("recognizes error events by their text, because they have no code", () => {
    const event = { message: "all broker connections are down", code: -1, origin: "local" };
    expect(toKafkaError(event)).toMatchObject({ code: "broker_unavailable", rdkafkaCode: -187 });
    expect(toKafkaError(new Error("Local: Fatal error")).isFatal).toBe(true);
  });

  test("keeps the client's fatal flag", () => {
    expect(toKafkaError({ message: "x", code: 45, isFatal: true }).isFatal).toBe(true);
    expect(toKafkaError({ message: "x", code: -185, isFatal: true })).toMatchObject({
      code: "timed_out",
      isFatal: true,
    });
  });

  test("returns a KafkaError unchanged", () => {
    const error = new KafkaError("throttled", "slow down");
    expect(toKafkaError(error)).toBe(error);
    expect(error.rdkafkaCode).toBe(89);
  });

  const hostile = new Proxy(
    {},
    {
      get() {
        throw new Error("no");
      },
    },
  );
  test("never throws", () => {
    for (const thrown of [
      undefined,
      null,
      "text",
      "",
      1.5,
      Number.NaN,
      {},
      [],
      Symbol("s"),
      () => 1,
      hostile,
    ]) {
      expect(toKafkaError(thrown)).toBeInstanceOf(KafkaError);
    }
  });

  test("keeps the cause", () => {
    const cause = new Error("Local: Timed out");
    expect(toKafkaError(cause).cause).toBe(cause);
  });
});
