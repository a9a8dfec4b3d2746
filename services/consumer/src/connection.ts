// Connects to Kafka, retrying while it is unavailable: creates missing topics, then connects the consumer.
import {
  type ClientConfig,
  type ConsumerOptions,
  createConsumer,
  ensureTopics,
  type KafkaConsumer,
  type NewTopic,
  toKafkaError,
} from "@ingest/kafka";
import type { Log } from "@ingest/service";
import { type BackoffSettings, backoffMs, pause } from "@ingest/wait";

export interface ConnectionOptions {
  consumer: ConsumerOptions;
  admin: ClientConfig;
  /** Created if missing, before joining the group. */
  topics: readonly NewTopic[];
  log: Log;
}

const ATTEMPT_TIMEOUT_MS = 10_000;
const BACKOFF: BackoffSettings = { firstMs: 250, maxMs: 5_000 };

export class Connection {
  readonly #options: ConnectionOptions;
  /** Created and not yet connected. */
  #unused: KafkaConsumer | undefined;

  /**
   * Creates the client without connecting it, so that an invalid configuration fails before anything else starts.
   * @throws KafkaError `unsupported` or `invalid_config`; AddonUnavailableError
   */
  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#unused = createConsumer(options.consumer);
  }

  /** Retries until connected. @returns undefined when the signal is aborted */
  async connect(signal: AbortSignal): Promise<KafkaConsumer | undefined> {
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        await this.#ensureTopics();
        const consumer = this.#unused ?? createConsumer(this.#options.consumer);
        this.#unused = undefined;
        await consumer.connect(ATTEMPT_TIMEOUT_MS);
        if (!signal.aborted) return consumer;
        await consumer.close(ATTEMPT_TIMEOUT_MS);
      } catch (thrown) {
        const error = toKafkaError(thrown);
        const pauseMs = backoffMs(failures, BACKOFF);
        this.#options.log.warn(
          { code: error.code, error: error.message, retry_in_ms: Math.round(pauseMs) },
          "Kafka unreachable: retrying",
        );
        await pause(pauseMs, signal);
      }
    }
    return undefined;
  }

  async #ensureTopics(): Promise<void> {
    const { admin: config, topics, log } = this.#options;
    for (const { topic, outcome } of await ensureTopics({ config, topics, timeoutMs: ATTEMPT_TIMEOUT_MS })) {
      const { topic: name, partitions } = topic;
      if (outcome === "created") log.info({ topic: name, partitions }, "topic created");
      // The topic may exist while the permission to describe or create it is missing. Reading will show.
      else if (outcome !== "exists")
        log.warn({ topic: name, code: outcome.code, error: outcome.message }, "topic check failed");
    }
  }
}
