import { expect, test } from "bun:test";
import { deadLetterProducerConfig } from "./producer-config.ts";

// Fault: in an environment shared with a producer service with acks=0, "stored" meant "sent".
test("dead letters need all in-sync replicas, whatever acks the environment sets", () => {
  const env = {
    KAFKA_ACKS: "0",
    KAFKA_ENABLE_IDEMPOTENCE: "false",
    KAFKA_MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION: "100",
    KAFKA_LINGER_MS: "7",
  };
  expect(deadLetterProducerConfig(env)).toMatchObject({
    acks: "all",
    "enable.idempotence": true,
    "max.in.flight.requests.per.connection": 5,
    "linger.ms": 7,
  });
});

// Fault: librdkafka properties without a setting of their own reached the consumer only, which could then authenticate
// where the dead-letter producer could not.
test("librdkafka properties are passed through, except those of a consumer", () => {
  const env = {
    KAFKA_TOPIC: "events",
    KAFKA_GROUP_ID: "g",
    KAFKA_SSL_KEYSTORE_LOCATION: "/secrets/keystore.p12",
    KAFKA_CHECK_CRCS: "true",
  };
  const config = deadLetterProducerConfig(env);
  expect(config).toMatchObject({ "ssl.keystore.location": "/secrets/keystore.p12" });
  expect(config).not.toHaveProperty(["check.crcs"]);
});
