import { expect, test } from "bun:test";
import { nearestName } from "./nearest-name.ts";

test("nearestName returns undefined when no candidate is similar", () => {
  expect(nearestName("KAFKA_ACSK", ["KAFKA_ACKS", "KAFKA_TOPIC"])).toBe("KAFKA_ACKS");
  expect(nearestName("XYZ", ["KAFKA_ACKS"])).toBeUndefined();
});
