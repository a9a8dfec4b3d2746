// How dead letters are written, and put back.
import { type ClientConfig, type Env, producerSettings, toClientConfig } from "@ingest/kafka";
import { parseSettings } from "@ingest/service";

/** An offset moves on when the letter is stored, so that has to mean all in-sync replicas, each letter once. */
const STORED = {
  KAFKA_ACKS: "all",
  KAFKA_ENABLE_IDEMPOTENCE: "true",
  // What idempotence asks for; the producer may have been given more without it.
  KAFKA_MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION: "5",
};

/**
 * The producer's settings from the same environment, with the way to the broker that the consumer has; but for the
 * promise, which a service beside this one may have been given another of.
 * @throws SettingsError
 */
export function letterWriterConfig(env: Env): ClientConfig {
  const all = { ...env, ...STORED };
  return toClientConfig(parseSettings(producerSettings, all), "producer", all);
}
