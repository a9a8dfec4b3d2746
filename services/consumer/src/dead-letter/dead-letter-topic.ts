// Writes records that could not be handled to the dead-letter topic, before their offset is committed.
import { deadLetterHeaders } from "@ingest/contract";
import {
  type ClientConfig,
  type ConsumedRecord,
  createProducer,
  KafkaError,
  type KafkaProducer,
  type ProducerRecord,
  toKafkaError,
} from "@ingest/kafka";
import type { Log } from "@ingest/service";
import { type BackoffSettings, backoffMs, pause } from "@ingest/wait";
import { isDeadLetterHeader } from "./original-record.ts";

/** Why a record becomes a dead letter. */
export interface DeadLetterCause {
  reason: "not_an_event" | "handler_failed";
  /** Human-readable explanation. */
  cause: string;
  /** Calls of the handler for this record. */
  tries: number;
}

/** stored: on all in-sync replicas. off: DEAD_LETTER_TOPIC is off. abandoned: aborted before it was stored. */
export type DeadLetterOutcome = "stored" | "off" | "abandoned";

export interface DeadLetters {
  /** Resolves when the record's offset may move on, or the signal was aborted. Failures of Kafka are retried. */
  write(record: ConsumedRecord, why: DeadLetterCause, signal: AbortSignal): Promise<DeadLetterOutcome>;
  close(timeoutMs: number): Promise<void>;
}

/** DEAD_LETTER_TOPIC=off: records that can't be handled are logged, counted and skipped. */
export const noDeadLetters: DeadLetters = {
  write: () => Promise.resolve("off"),
  close: () => Promise.resolve(),
};

export interface DeadLetterOptions {
  /** From `toClientConfig(settings, "producer")`. */
  config: ClientConfig;
  topic: string;
  backoff: BackoffSettings;
  log: Log;
  /** Replaces `createProducer` in tests. */
  createProducer?: typeof createProducer;
}

/** A longer cause is cut, so that the headers don't push the record over the broker's size limit. */
const MAX_CAUSE_CHARACTERS = 2_000;
const HEADER_ROOM_BYTES = 32_768;
const CONNECT_TIMEOUT_MS = 10_000;

type OnOutcome = (error: KafkaError | null) => void;

export class DeadLetterTopic implements DeadLetters {
  readonly #options: DeadLetterOptions;
  #producer: KafkaProducer | undefined;
  #connecting: Promise<KafkaProducer> | undefined;
  #isClosed = false;

  /** The producer connects at the first dead letter: most consumers never have one. */
  constructor(options: DeadLetterOptions) {
    this.#options = options;
  }

  async write(record: ConsumedRecord, why: DeadLetterCause, signal: AbortSignal): Promise<DeadLetterOutcome> {
    let deadLetter = toDeadLetter(this.#options.topic, record, why);
    for (let failures = 1; ; failures++) {
      try {
        await this.#store(deadLetter);
        return "stored";
      } catch (thrown) {
        const error = toKafkaError(thrown);
        if (error.isFatal) this.#replaceProducer();
        if (error.code === "message_too_large" && deadLetter.value !== null) {
          deadLetter = withoutValue(deadLetter, why);
          continue;
        }
        const pauseMs = backoffMs(failures, this.#options.backoff);
        this.#options.log.error(
          {
            topic: deadLetter.topic,
            error: error.message,
            code: error.code,
            retry_in_ms: Math.round(pauseMs),
          },
          "dead letter write failed: retrying",
        );
        if (this.#isClosed || !(await pause(pauseMs, signal))) return "abandoned";
      }
    }
  }

  async close(timeoutMs: number): Promise<void> {
    this.#isClosed = true;
    await this.#producer?.close(timeoutMs);
  }

  async #store(deadLetter: ProducerRecord): Promise<void> {
    const producer = await this.#connected();
    await new Promise<void>((resolve, reject) => {
      const onOutcome: OnOutcome = (error) => (error ? reject(error) : resolve());
      if (producer.produce({ ...deadLetter, context: onOutcome }) === "full")
        reject(new KafkaError("queue_full", "The producer's queue for the dead-letter topic is full"));
    });
  }

  async #connected(): Promise<KafkaProducer> {
    if (this.#producer) return this.#producer;
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connect(): Promise<KafkaProducer> {
    const producer = (this.#options.createProducer ?? createProducer)({
      config: withRoomForHeaders(this.#options.config),
      onOutcome: (error, _delivery, context) => (context as OnOutcome)(error),
    });
    await producer.connect(CONNECT_TIMEOUT_MS);
    this.#producer = producer;
    return producer;
  }

  #replaceProducer(): void {
    const producer = this.#producer;
    this.#producer = undefined;
    void producer?.close(0);
  }
}

/**
 * Raises the client's size limit, so that a record at the limit fits with the dead-letter headers too. With the default
 * limit of 1,000,000 bytes the broker accepts that: its own limit is 1,048,588.
 */
function withRoomForHeaders(config: ClientConfig): ClientConfig {
  const limit = config["message.max.bytes"];
  return typeof limit === "number" ? { ...config, "message.max.bytes": limit + HEADER_ROOM_BYTES } : config;
}

/** The original record with the dead-letter headers added. */
export function toDeadLetter(topic: string, record: ConsumedRecord, why: DeadLetterCause): ProducerRecord {
  return {
    topic,
    key: record.key,
    value: record.value,
    headers: [
      ...record.headers.filter(([name]) => !isDeadLetterHeader(name)),
      [deadLetterHeaders.cause, why.cause.slice(0, MAX_CAUSE_CHARACTERS)],
      [deadLetterHeaders.reason, why.reason],
      [deadLetterHeaders.tries, String(why.tries)],
      [deadLetterHeaders.topic, record.topic],
      [deadLetterHeaders.partition, String(record.partition)],
      [deadLetterHeaders.offset, String(record.offset)],
      [deadLetterHeaders.timestamp, String(record.timestampMs)],
    ],
  };
}

/** For a record that the broker refuses as too large with these headers: they say where the original can be read. */
function withoutValue(deadLetter: ProducerRecord, why: DeadLetterCause): ProducerRecord {
  const cause = `${why.cause.slice(0, MAX_CAUSE_CHARACTERS)} (value left out: too large with these headers)`;
  const headers = (deadLetter.headers ?? []).filter(([name]) => name !== deadLetterHeaders.cause);
  return { ...deadLetter, value: null, headers: [...headers, [deadLetterHeaders.cause, cause]] };
}
