import { createRequire } from "node:module";
import { requireAddon } from "./addon.ts";

export { AddonUnavailableError, type BuildInfo, buildInfo, type NativeOutbox } from "./addon.ts";
export { createOutbox, OUTCOME_BYTES } from "./outbox.ts";
export { topicConfig } from "./topic-config.ts";

/** Confluent's package: its callback API, with the promisified one under `KafkaJS`. */
export type ConfluentClient = typeof import("@confluentinc/kafka-javascript");

/**
 * Confluent's client, after loading its native addon (`requireAddon`).
 * @throws AddonUnavailableError
 */
export function loadClient(): ConfluentClient {
  requireAddon();
  return createRequire(import.meta.url)("@confluentinc/kafka-javascript") as ConfluentClient;
}
