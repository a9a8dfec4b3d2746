// Getting to Kafka, however long it is away: topics made where they are missing, then a consumer that is connected.
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
  /** Made when missing, before the group is joined. */
  topics: readonly NewTopic[];
  log: Log;
}

const ATTEMPT_TIMEOUT_MS = 10_000;
const BACKOFF: BackoffSettings = { firstMs: 250, maxMs: 5_000 };

export class Connection {
  readonly #options: ConnectionOptions;
  /** Made and not yet connected. */
  #unused: KafkaConsumer | undefined;

  /**
   * Makes the client, without a socket: what it can't be made of is known before anything else is started.
   * @throws KafkaError `unsupported` or `invalid_config`; AddonUnavailableError
   */
  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#unused = createConsumer(options.consumer);
  }

  /** Tries until it is connected, or the signal is aborted (then undefined). */
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
          "Kafka can't be reached",
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
      // It may exist, and only the right to describe or to create it be missing: reading it will show.
      else if (outcome !== "exists")
        log.warn({ topic: name, code: outcome.code, error: outcome.message }, "topic not ensured");
    }
  }
}
