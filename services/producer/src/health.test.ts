import { expect, test } from "bun:test";
import { readiness } from "./health.ts";
import { FakeDelivery } from "./testing/fake-delivery.ts";
import type { TopicState } from "./topics/watched-topic.ts";

function at({ isReady = true, isTried = true, topic = "ready" as TopicState, isStopping = false }) {
  const delivery = new FakeDelivery();
  delivery.isReady = isReady;
  return readiness({
    delivery,
    topics: { isTried, state: topic, notReady: topic === "ready" ? [] : ["orders"] },
    isStopping: () => isStopping,
  });
}

test("ready while events are taken", () => {
  expect(at({})).toEqual({ ok: true, kafka: "connected", topic: "ready", spooling: false });
  // Without Kafka the journal takes them.
  expect(at({ topic: "pending" }).ok).toBe(true);
  expect(at({ topic: "missing" })).toMatchObject({
    ok: true,
    topic: "missing",
    topics_not_ready: ["orders"],
  });
});

test.each([
  [{ isReady: false }, "kafka_unavailable"],
  [{ isTried: false, topic: "pending" as const }, "starting"],
  [{ isStopping: true }, "shutting_down"],
])("%j is not ready: %s", (state, reason) => {
  expect(at(state)).toMatchObject({ ok: false, reason });
});
