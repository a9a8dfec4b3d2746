import { describe, expect, test } from "bun:test";
import { producerSettings } from "@ingest/kafka";
import { parseSettings } from "@ingest/service";
import { checkDeliverySettings, deliverySettings } from "./settings.ts";

const properties = { ...producerSettings, ...deliverySettings };
const problemsOf = (env: Record<string, string>) =>
  checkDeliverySettings(parseSettings(properties, env)).map((p) => p.name);

describe("settings that would break a durability level are rejected", () => {
  test("the defaults are accepted", () => expect(problemsOf({})).toEqual([]));

  test("the client could send after the deadline", () =>
    expect(problemsOf({ STORED_DEADLINE_MS: "29999" })).toEqual(["KAFKA_MESSAGE_TIMEOUT_MS"]));

  test("the client would give up single events before all are reclaimed together", () => {
    expect(problemsOf({ DELIVERY_STALL_MS: "30000" })).toEqual(["DELIVERY_STALL_MS"]);
    expect(problemsOf({ DELIVERY_STALL_MS: "30000", JOURNAL_ENABLED: "false" })).toEqual([]);
  });

  test("stored without all in-sync replicas", () => {
    expect(problemsOf({ KAFKA_ACKS: "1" })).toEqual(["KAFKA_ACKS"]);
    expect(problemsOf({ KAFKA_ACKS: "-1" })).toEqual([]);
  });

  // Idempotence does not help when a partition has a new leader: test/integration/kafka-new-leader.test.ts.
  test.each(["true", "false"])("more than one request in flight, with idempotence %s", (idempotence) => {
    const env = { KAFKA_ENABLE_IDEMPOTENCE: idempotence };
    const name = "KAFKA_MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION";
    expect(problemsOf({ ...env, [name]: "2" })).toEqual([name]);
    expect(problemsOf(env)).toEqual([]);
  });

  test("events would be reclaimed while they linger, or before a broken connection is detected", () => {
    expect(problemsOf({ KAFKA_LINGER_MS: "15000" })).toEqual(["KAFKA_LINGER_MS"]);
    expect(problemsOf({ DELIVERY_STALL_MS: "10000" })).toEqual(["KAFKA_SOCKET_TIMEOUT_MS"]);
    expect(problemsOf({ DELIVERY_STALL_MS: "10001" })).toEqual([]);
  });

  test.each(["0", "10001"])("statistics would not report that Kafka is back (interval %s ms)", (interval) =>
    expect(problemsOf({ KAFKA_STATISTICS_INTERVAL_MS: interval })).toEqual(["KAFKA_STATISTICS_INTERVAL_MS"]),
  );

  test.each([
    ["KAFKA_PARTITIONER", "random"],
    ["KAFKA_QUEUE_BUFFERING_MAX_MESSAGES", "2147483647"],
    ["KAFKA_QUEUE_BUFFERING_MAX_KBYTES", "2147483647"],
  ])("%s=%s, which librdkafka would accept", (name, value) =>
    expect(() => parseSettings(properties, { [name]: value })).toThrow(name),
  );

  test("a journal of fewer than two segments", () =>
    expect(problemsOf({ JOURNAL_MAX_BYTES: "1048576" })).toEqual(["JOURNAL_SEGMENT_BYTES"]));

  test("parseSettings reports the problems of the rule", () =>
    expect(() => parseSettings(properties, { STORED_DEADLINE_MS: "1000" }, [checkDeliverySettings])).toThrow(
      "must not be more than STORED_DEADLINE_MS (1000)",
    ));
});
