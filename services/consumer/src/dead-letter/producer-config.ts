// The producer configuration for writing and replaying dead letters.
import { type ClientConfig, producerSettings, toClientConfig } from "@ingest/kafka";
import { type Env, parseSettings } from "@ingest/service";

/** The offset moves on once the dead letter is stored: on all in-sync replicas, without duplicates. */
const DURABLE = {
  KAFKA_ACKS: "all",
  KAFKA_ENABLE_IDEMPOTENCE: "true",
  // The maximum with idempotence. The shared environment may set more.
  KAFKA_MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION: "5",
};

/**
 * The producer settings of the same environment, so connection and security match the consumer's. Durability is fixed:
 * a producer service that shares the environment may have been set to a weaker one.
 * @throws SettingsError
 */
export function deadLetterProducerConfig(env: Env): ClientConfig {
  const all = { ...env, ...DURABLE };
  return toClientConfig(parseSettings(producerSettings, all), "producer", all);
}
