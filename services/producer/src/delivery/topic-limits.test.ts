import { describe, expect, test } from "bun:test";
import { batchBytes, TopicLimitsCheck, toTopicLimits } from "./topic-limits.ts";

const event = (value: string, key: string | null) => ({ id: "id", key, value });

test("limits come from the topic's settings", () => {
  const settings = new Map([
    ["cleanup.policy", "compact,delete"],
    ["max.message.bytes", "5000"],
  ]);
  expect(toTopicLimits(settings)).toEqual({ isCompacted: true, maxBatchBytes: 5_000 });
  expect(toTopicLimits(new Map())).toEqual({ isCompacted: false, maxBatchBytes: Number.POSITIVE_INFINITY });
});

// test/integration/producer-refusals.test.ts compares with a broker.
test.each([
  [null, "", 68],
  ["k", "v", 70],
  ["k", "x".repeat(100), 171],
])("a batch of key %p and value %p has %p bytes", (key, value, bytes) => {
  expect(batchBytes(key, value)).toBe(bytes);
});

describe("the check of a topic's limits", () => {
  test("is open while the limits are unknown", () => {
    expect(new TopicLimitsCheck().refusal(event("x".repeat(1e6), null))).toBeUndefined();
  });

  test("refuses an event without a key on a compacted topic", () => {
    const limitsCheck = new TopicLimitsCheck();
    limitsCheck.limits = { isCompacted: true, maxBatchBytes: 1e6 };
    expect(limitsCheck.refusal(event("x", null))).toBe("key_required");
    expect(limitsCheck.refusal(event("x", "k"))).toBeUndefined();
  });

  test("applies to an event the limits of its own topic, and the smallest to the client's batches", () => {
    const limitsCheck = new TopicLimitsCheck();
    expect(limitsCheck.maxBatchBytes).toBeUndefined();
    limitsCheck.limits = { isCompacted: false, maxBatchBytes: 1e6 };
    limitsCheck.byTopic.set("small", { isCompacted: true, maxBatchBytes: 1_000 });
    const large = event("x".repeat(2_000), "k");
    expect(limitsCheck.refusal(large)).toBeUndefined();
    expect(limitsCheck.refusal({ ...large, topic: "small" })).toBe("too_large");
    expect(limitsCheck.refusal({ ...event("x", null), topic: "small" })).toBe("key_required");
    expect(limitsCheck.refusal({ ...large, topic: "unknown" })).toBeUndefined();
    expect(limitsCheck.maxBatchBytes).toBe(1_000);
  });

  test("refuses by the uncompressed size, to the byte", () => {
    const value = "é".repeat(500);
    const limitsCheck = new TopicLimitsCheck();
    limitsCheck.limits = { isCompacted: false, maxBatchBytes: batchBytes("k", value) };
    expect(limitsCheck.refusal(event(value, "k"))).toBeUndefined();
    expect(limitsCheck.refusal(event(`${value}x`, "k"))).toBe("too_large");
  });
});
