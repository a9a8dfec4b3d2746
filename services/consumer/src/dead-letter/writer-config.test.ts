import { expect, test } from "bun:test";
import { letterWriterConfig } from "./writer-config.ts";

// Fault: an environment shared with a producer that asks for no confirmation made "stored" mean "sent".
test("a letter is stored when all in-sync replicas have it, whatever the producer beside it asks for", () => {
  const env = {
    KAFKA_ACKS: "0",
    KAFKA_ENABLE_IDEMPOTENCE: "false",
    KAFKA_MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION: "100",
    KAFKA_LINGER_MS: "7",
  };
  expect(letterWriterConfig(env)).toMatchObject({
    acks: "all",
    "enable.idempotence": true,
    "max.in.flight.requests.per.connection": 5,
    "linger.ms": 7,
  });
});

// Fault: librdkafka's settings that have no row of their own reached the consumer alone, which could then log in where
// the dead letters could not.
test("settings that are passed through are the letters' too, save those of a consumer", () => {
  const env = {
    KAFKA_TOPIC: "events",
    KAFKA_GROUP_ID: "g",
    KAFKA_SSL_KEYSTORE_LOCATION: "/secrets/keystore.p12",
    KAFKA_CHECK_CRCS: "true",
  };
  const config = letterWriterConfig(env);
  expect(config).toMatchObject({ "ssl.keystore.location": "/secrets/keystore.p12" });
  expect(config).not.toHaveProperty(["check.crcs"]);
});
