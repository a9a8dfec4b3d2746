import { describe, expect, test } from "bun:test";
import { type Env, parseSettings, SettingsError } from "@ingest/service";
import { kafkaRule, toClientConfig } from "./client-config.ts";
import { clientSettings, consumerSettings, producerSettings } from "./settings.ts";

const producer = (env: Env = {}) => toClientConfig(parseSettings(producerSettings, env), "producer", env);
const consumer = (env: Env = {}) => toClientConfig(parseSettings(consumerSettings, env), "consumer", env);

function problems(act: () => unknown): string[] {
  try {
    act();
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems.map((p) => p.name);
    throw error;
  }
}

describe("toClientConfig", () => {
  test("a producer without settings keeps every record, in order, once, compressed and in batches", () => {
    expect(producer()).toMatchObject({
      "bootstrap.servers": "localhost:9092",
      acks: "all",
      "enable.idempotence": true,
      "linger.ms": 5,
      "batch.size": 1_048_576,
      "compression.type": "lz4",
      "queue.buffering.max.messages": 100_000,
      "queue.buffering.max.kbytes": 32_768,
      "socket.keepalive.enable": true,
    });
  });

  test("a consumer doesn't commit automatically", () => {
    expect(consumer()).toMatchObject({
      "group.id": "event-consumers",
      "enable.auto.commit": false,
      "enable.auto.offset.store": false,
      "enable.partition.eof": true,
      "partition.assignment.strategy": "cooperative-sticky",
      "auto.offset.reset": "earliest",
    });
    expect(consumer()).not.toHaveProperty("acks");
  });

  test("a consumer of a group that the broker manages leaves out what the broker decides", () => {
    const config = consumer({ KAFKA_GROUP_PROTOCOL: "consumer" });
    expect(config["group.protocol"]).toBe("consumer");
    for (const name of ["session.timeout.ms", "heartbeat.interval.ms", "partition.assignment.strategy"])
      expect(config).not.toHaveProperty([name]);
    const set = { KAFKA_SESSION_TIMEOUT_MS: "6000", KAFKA_PARTITION_ASSIGNMENT_STRATEGY: "range" };
    expect(problems(() => consumer({ KAFKA_GROUP_PROTOCOL: "consumer", ...set }))).toEqual(Object.keys(set));
  });

  test("an admin client gets only the connection's settings", () => {
    const config = toClientConfig(parseSettings(producerSettings, {}), "admin");
    expect(config).toHaveProperty(["bootstrap.servers"]);
    expect(config).not.toHaveProperty(["linger.ms"]);
  });

  test("a service's own members don't reach librdkafka", () => {
    const settings = { ...parseSettings(clientSettings, {}), PORT: 3000 };
    expect(toClientConfig(settings, "admin")).not.toHaveProperty("PORT");
  });
});

describe("contradictions", () => {
  test.each([
    [{ KAFKA_ACKS: "1" }, "KAFKA_ACKS"],
    [{ KAFKA_MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION: "6" }, "KAFKA_MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION"],
    [{ KAFKA_LINGER_MS: "500", KAFKA_MESSAGE_TIMEOUT_MS: "500" }, "KAFKA_LINGER_MS"],
    [
      { KAFKA_QUEUE_BUFFERING_MAX_KBYTES: "1", KAFKA_MESSAGE_MAX_BYTES: "2000" },
      "KAFKA_QUEUE_BUFFERING_MAX_KBYTES",
    ],
    [{ KAFKA_RETRY_BACKOFF_MS: "2000" }, "KAFKA_RETRY_BACKOFF_MS"],
    [{ KAFKA_SASL_PASSWORD: "x" }, "KAFKA_SASL_PASSWORD"],
    [{ KAFKA_SECURITY_PROTOCOL: "sasl_ssl" }, "KAFKA_SASL_MECHANISM"],
    [{ KAFKA_SSL_CA_PEM: "x" }, "KAFKA_SSL_CA_PEM"],
    [{ KAFKA_SECURITY_PROTOCOL: "ssl", KAFKA_SSL_CA_LOCATION: "/no/such" }, "KAFKA_SSL_CA_LOCATION"],
    [{ KAFKA_SECURITY_PROTOCOL: "ssl", KAFKA_SSL_CERTIFICATE_PEM: "x" }, "KAFKA_SSL_KEY_LOCATION"],
  ] as [Env, string][])("%j is refused for %s", (env, name) => {
    expect(problems(() => producer(env))).toEqual([name]);
  });

  test("fewer acks are valid without idempotence", () => {
    expect(producer({ KAFKA_ACKS: "1", KAFKA_ENABLE_IDEMPOTENCE: "false" })).toMatchObject({ acks: 1 });
  });

  test("PLAIN requires a user name and a password, and errors contain neither", () => {
    const env = { KAFKA_SECURITY_PROTOCOL: "sasl_plaintext", KAFKA_SASL_MECHANISM: "SCRAM-SHA-512" };
    expect(problems(() => producer(env))).toEqual(["KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"]);
    expect(() => producer({ KAFKA_SASL_PASSWORD: "hunter2" })).not.toThrow("hunter2");
  });

  test("a heartbeat must fit three times into the session", () => {
    expect(problems(() => consumer({ KAFKA_SESSION_TIMEOUT_MS: "6000" }))).toEqual([
      "KAFKA_HEARTBEAT_INTERVAL_MS",
    ]);
  });

  // Fault: with `error` librdkafka never reads such a partition again, and reports it only once.
  test("auto.offset.reset is earliest or latest, never error", () => {
    expect(problems(() => consumer({ KAFKA_AUTO_OFFSET_RESET: "error" }))).toEqual([
      "KAFKA_AUTO_OFFSET_RESET",
    ]);
    expect(consumer({ KAFKA_AUTO_OFFSET_RESET: "latest" })).toMatchObject({ "auto.offset.reset": "latest" });
  });

  test("kafkaRule reports them through parseSettings", () => {
    const env = { KAFKA_ACKS: "1", KAFKA_LINGER_M: "5" };
    expect(problems(() => parseSettings(producerSettings, env, [kafkaRule("producer", env)]))).toEqual([
      "KAFKA_ACKS",
      "KAFKA_LINGER_M",
    ]);
  });
});
