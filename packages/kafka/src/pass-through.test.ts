import { describe, expect, test } from "bun:test";
import { readPassThrough } from "./pass-through.ts";

describe("readPassThrough", () => {
  test("reads librdkafka's properties by their names", () => {
    const env = { KAFKA_SOCKET_NAGLE_DISABLE: "true", KAFKA_LOG_LEVEL: "7", KAFKA_DEBUG: "broker,topic" };
    expect(readPassThrough(env, "producer")).toEqual({
      config: { "socket.nagle.disable": "true", log_level: "7", debug: "broker,topic" },
      problems: [],
    });
  });

  test("leaves out other clients' properties", () => {
    const env = { KAFKA_CHECK_CRCS: "true", KAFKA_STICKY_PARTITIONING_LINGER_MS: "20" };
    expect(readPassThrough(env, "producer").config).toEqual({ "sticky.partitioning.linger.ms": "20" });
    expect(readPassThrough(env, "consumer").config).toEqual({ "check.crcs": "true" });
    expect(readPassThrough(env, "admin")).toEqual({ config: {}, problems: [] });
  });

  test.each([
    ["KAFKA_LINGER", "5", "did you mean KAFKA_LINGER_MS?"],
    ["KAFKA_COMPRESION_TYPE", "lz4", "did you mean KAFKA_COMPRESSION_TYPE?"],
    ["KAFKA_SOCKET_NAGLE_DISABEL", "true", "did you mean KAFKA_SOCKET_NAGLE_DISABLE?"],
    ["KAFKA_ZZZZZZZZZZZZ", "1", "is not a librdkafka property"],
    ["KAFKA_QUEUE_BUFFERING_MAX_MS", "5", "is an alias: use KAFKA_LINGER_MS"],
    ["KAFKA_METADATA_BROKER_LIST", "x:1", "is an alias: use KAFKA_BOOTSTRAP_SERVERS"],
    ["KAFKA_ENABLE_AUTO_COMMIT", "true", "can't be set"],
    ["KAFKA_TRANSACTIONAL_ID", "t", "can't be set"],
    ["KAFKA_DR_CB", "x", "is a callback"],
    ["KAFKA_BROKER_ADDRESS_FAMILY", "v5", "must be one of any, v4, v6"],
    ["KAFKA_SOCKET_NAGLE_DISABLE", "maybe", "must be true or false"],
    ["KAFKA_MAX_POLL_RECORDS", "0", "must be a number from 1 to"],
    ["KAFKA_MAX_POLL_RECORDS", "1.5", "must be a number from 1 to"],
  ])("%s=%s is rejected: %s", (name, value, message) => {
    const { config, problems } = readPassThrough({ [name]: value }, "consumer");
    expect(config).toEqual({});
    expect(problems).toHaveLength(1);
    expect(problems[0]!.message).toContain(message);
  });

  test.each([
    "KAFKA_HOME",
    "KAFKA_HEAP_OPTS",
    "KAFKA_PORT_9092_TCP_ADDR",
    "KAFKA_SERVICE_HOST",
    "KAFKA_SERVICE_PORT",
    "KAFKA_BROKER_SERVICE_PORT_TCP",
    "KAFKA_TEST_BOOTSTRAP_SERVERS",
    "KAFKA_NATIVE_REQUIRED",
    "OTHER",
  ])("%s is not for a client", (name) => {
    expect(readPassThrough({ [name]: "x" }, "producer")).toEqual({ config: {}, problems: [] });
  });

  test("ignores names that the service reads itself", () => {
    expect(
      readPassThrough({ KAFKA_CONNECT_BUDGET: "5" }, "producer", ["KAFKA_CONNECT_BUDGET"]).problems,
    ).toEqual([]);
  });

  test("ignores empty values", () => {
    expect(readPassThrough({ KAFKA_NO_SUCH: "", KAFKA_DEBUG: "" }, "producer").problems).toEqual([]);
  });
});
