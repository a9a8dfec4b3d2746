import { expect, test } from "bun:test";
import { readiness } from "./health.ts";
import { FakeDelivery } from "./testing/fake-delivery.ts";

function at({ isReady = true, isTried = true, topicExists = true, isStopping = false }) {
  const delivery = new FakeDelivery();
  delivery.isReady = isReady;
  return readiness({ delivery, topic: { isTried, exists: topicExists }, isStopping: () => isStopping });
}

test("ready while events are taken", () => {
  expect(at({})).toEqual({ ok: true, kafka: "connected", topic: "ready", spooling: false });
  // Without Kafka the journal takes them.
  expect(at({ topicExists: false }).ok).toBe(true);
});

test.each([
  [{ isReady: false }, "kafka_unavailable"],
  [{ isTried: false, topicExists: false }, "starting"],
  [{ isStopping: true }, "shutting_down"],
])("%j is not ready: %s", (state, reason) => {
  expect(at(state)).toMatchObject({ ok: false, reason });
});
