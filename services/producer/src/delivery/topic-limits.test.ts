import { describe, expect, test } from "bun:test";
import { batchBytes, TopicDoor, toTopicLimits } from "./topic-limits.ts";

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

describe("the door", () => {
  test("is open while the limits are unknown", () => {
    expect(new TopicDoor().refusal(event("x".repeat(1e6), null))).toBeUndefined();
  });

  test("refuses an event without a key on a compacted topic", () => {
    const door = new TopicDoor();
    door.limits = { isCompacted: true, maxBatchBytes: 1e6 };
    expect(door.refusal(event("x", null))).toBe("key_required");
    expect(door.refusal(event("x", "k"))).toBeUndefined();
  });

  test("refuses by the uncompressed size, to the byte", () => {
    const value = "é".repeat(500);
    const door = new TopicDoor();
    door.limits = { isCompacted: false, maxBatchBytes: batchBytes("k", value) };
    expect(door.refusal(event(value, "k"))).toBeUndefined();
    expect(door.refusal(event(`${value}x`, "k"))).toBe("too_large");
  });
});
