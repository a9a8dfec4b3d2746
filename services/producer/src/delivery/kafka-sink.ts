// The sink over Kafka's client: connects in the background, hands records over, passes outcomes on.

import { createProducer, type KafkaProducer, type ProducerOptions, toKafkaError } from "@ingest/kafka";
import type { Log } from "@ingest/service";
import type { OutcomeHandler, Sink, SinkRecord } from "./sink.ts";

export interface KafkaSinkOptions extends Pick<ProducerOptions, "config" | "onLog" | "onStatistics"> {
  /** Where records go that don't say otherwise. */
  topic: string;
  log: Log;
}

/** One attempt to connect, and the pause after a failed one. */
const CONNECT_TIMEOUT_MS = 5_000;
const CONNECT_PAUSE_MS = 500;

export class KafkaSink implements Sink {
  readonly #producer: KafkaProducer;
  readonly #options: KafkaSinkOptions;
  #isReady = false;
  #isClosed = false;

  /** @throws KafkaError when the configuration can't be used */
  constructor(options: KafkaSinkOptions, onOutcome: OutcomeHandler) {
    this.#options = options;
    const { config, onLog, onStatistics, log } = options;
    this.#producer = createProducer({
      config,
      topic: options.topic,
      onOutcome: (error, { topic, partition, offset }, ticket) =>
        onOutcome(ticket as number, error, topic, partition, offset),
      onError: (error) =>
        log.debug({ code: error.code, reason: error.message }, "Kafka's client reports trouble"),
      ...(onLog ? { onLog } : {}),
      ...(onStatistics ? { onStatistics } : {}),
    });
    void this.#connect();
  }

  get connected(): boolean {
    return this.#producer.connected;
  }

  send(record: SinkRecord, ticket: number): boolean {
    if (!this.#isReady) return false;
    const { key, value, timestampMs } = record;
    const topic = record.topic ?? this.#options.topic;
    const isQueued =
      timestampMs === undefined
        ? this.#producer.produce({ topic, key, value, context: ticket })
        : this.#producer.produce({ topic, key, value, timestampMs, context: ticket });
    return isQueued === "queued";
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
        // Once is news; the rest is in the metrics.
        if (attempts++ === 0)
          this.#options.log.warn({ code, reason: message }, "Kafka unreachable: retrying");
        await Bun.sleep(CONNECT_PAUSE_MS);
      }
    }
  }
}
