// The sink over the Kafka client: connects in the background, sends records, forwards outcomes.

import {
  CLUSTER_ID_FACILITY,
  type ClientConfig,
  createProducer,
  type KafkaProducer,
  type ProducerOptions,
  toKafkaError,
} from "@ingest/kafka";
import type { Log } from "@ingest/service";
import type { OutcomeHandler, Sink, SinkRecord } from "./sink.ts";

export interface KafkaSinkOptions extends Pick<ProducerOptions, "config" | "onStatistics" | "topicConfig"> {
  /** The topic of records that name none. */
  topic: string;
  /** The largest batch that the topic takes; undefined where unknown. */
  maxBatchBytes?(): number | undefined;
  log: Log;
}

/** librdkafka's default of batch.size. */
const DEFAULT_BATCH_BYTES = 1_000_000;

/** Time for one attempt to connect, and the pause after a failed one. */
const CONNECT_TIMEOUT_MS = 5_000;
const CONNECT_PAUSE_MS = 500;

export class KafkaSink implements Sink {
  readonly #producer: KafkaProducer;
  readonly #options: KafkaSinkOptions;
  #isReady = false;
  #isClosed = false;

  /** @throws KafkaError when the configuration is invalid */
  constructor(options: KafkaSinkOptions, onOutcome: OutcomeHandler) {
    this.#options = options;
    const { onStatistics, topicConfig, log } = options;
    this.#producer = createProducer({
      config: toSinkConfig(options),
      onOutcome: (error, { topic, partition, offset }, ticket) =>
        onOutcome(ticket as number, error, topic, partition, offset),
      onError: (error) => log.debug({ code: error.code, reason: error.message }, "Kafka client error"),
      onLog({ facility, message }) {
        if (facility === CLUSTER_ID_FACILITY)
          log.error({ detail: message }, "Kafka cluster changed: its id is another one");
        else log.debug({ facility, detail: message }, "librdkafka log");
      },
      ...(onStatistics ? { onStatistics } : {}),
      ...(topicConfig ? { topicConfig } : {}),
    });
    void this.#connect();
  }

  get connected(): boolean {
    return this.#producer.connected;
  }

  send(record: SinkRecord, ticket: number, timestampMs?: number): boolean {
    if (!this.#isReady) return false;
    const { key, value, headers } = record;
    const topic = record.topic ?? this.#options.topic;
    return this.#producer.produce({ topic, key, value, timestampMs, headers, context: ticket }) === "queued";
  }

  flush(timeoutMs: number): Promise<boolean> {
    return this.#producer.flush(timeoutMs);
  }

  async close(timeoutMs: number): Promise<void> {
    this.#isClosed = true;
    this.#isReady = false;
    await this.#producer.close(timeoutMs);
  }

  async #connect(): Promise<void> {
    let attempts = 0;
    while (!this.#isClosed) {
      try {
        await this.#producer.connect(CONNECT_TIMEOUT_MS);
        this.#isReady = !this.#isClosed;
        if (attempts > 0) this.#options.log.info({ attempts: attempts + 1 }, "connected to Kafka");
        return;
      } catch (error) {
        if (this.#isClosed) return;
        const { code, message } = toKafkaError(error);
        // Log the first failure only; metrics show the rest.
        if (attempts++ === 0)
          this.#options.log.warn({ code, reason: message }, "Kafka unreachable: retrying");
        await Bun.sleep(CONNECT_PAUSE_MS);
      }
    }
  }
}

function toSinkConfig({ config, maxBatchBytes }: KafkaSinkOptions): ClientConfig {
  const batchBytes = Number(config["batch.size"] ?? DEFAULT_BATCH_BYTES);
  return {
    ...config,
    // Of a larger batch, the topic would refuse every record.
    "batch.size": Math.min(batchBytes, maxBatchBytes?.() ?? batchBytes),
    // After a refused batch the client sends nothing more, so that no later record of a key overtakes one of the batch.
    ...(config["enable.idempotence"] === true ? { "enable.gapless.guarantee": true } : {}),
  };
}
