// Where records go that could not be handled: the dead-letter topic, written before the offset moves on.
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

/** Why a record is put aside. */
export interface DeadLetterCause {
  reason: "not_an_event" | "handler_failed";
  /** In words. */
  cause: string;
  /** How often a handler was called with it. */
  tries: number;
}

/** stored: every in-sync replica has it. off: there is no such topic, by setting. abandoned: aborted before either. */
export type DeadLetterOutcome = "stored" | "off" | "abandoned";

export interface DeadLetters {
  /** Resolves when the record may be passed over. Kafka's failures are tried again until the signal is aborted. */
  put(record: ConsumedRecord, why: DeadLetterCause, signal: AbortSignal): Promise<DeadLetterOutcome>;
  close(timeoutMs: number): Promise<void>;
}

/** Nowhere to go: what can't be handled is logged, counted and passed over. */
export const noDeadLetters: DeadLetters = {
  put: () => Promise.resolve("off"),
  close: () => Promise.resolve(),
};

export interface DeadLetterOptions {
  /** From `toClientConfig(settings, "producer")`. */
  config: ClientConfig;
  topic: string;
  backoff: BackoffSettings;
  log: Log;
  /** Another way to make a producer, for tests. */
  createProducer?: typeof createProducer;
}

/** A cause longer than this would cost the record its place in the broker's size limit. */
const MAX_CAUSE_CHARACTERS = 2_000;
const HEADER_ROOM_BYTES = 32_768;
const CONNECT_TIMEOUT_MS = 10_000;

type Settle = (error: KafkaError | null) => void;

export class DeadLetterTopic implements DeadLetters {
  readonly #options: DeadLetterOptions;
  #producer: KafkaProducer | undefined;
  #connecting: Promise<KafkaProducer> | undefined;
  #isClosed = false;

  /** Connects at the first dead letter: most consumers never have one. */
  constructor(options: DeadLetterOptions) {
    this.#options = options;
  }

  async put(record: ConsumedRecord, why: DeadLetterCause, signal: AbortSignal): Promise<DeadLetterOutcome> {
    let letter = toDeadLetter(this.#options.topic, record, why);
    for (let failures = 1; ; failures++) {
      try {
        await this.#store(letter);
        return "stored";
      } catch (thrown) {
        const error = toKafkaError(thrown);
        if (error.isFatal) this.#replaceProducer();
        if (error.code === "message_too_large" && letter.value !== null) {
          letter = withoutValue(letter, why);
          continue;
        }
        const pauseMs = backoffMs(failures, this.#options.backoff);
        this.#options.log.error(
          { topic: letter.topic, error: error.message, code: error.code, retry_in_ms: Math.round(pauseMs) },
          "dead letter not written",
        );
        if (this.#isClosed || !(await pause(pauseMs, signal))) return "abandoned";
      }
    }
  }

  async close(timeoutMs: number): Promise<void> {
    this.#isClosed = true;
    await this.#producer?.close(timeoutMs);
  }

  async #store(letter: ProducerRecord): Promise<void> {
    const producer = await this.#connected();
    await new Promise<void>((resolve, reject) => {
      const settle: Settle = (error) => (error ? reject(error) : resolve());
      if (producer.produce({ ...letter, context: settle }) === "full")
        reject(new KafkaError("queue_full", "The queue to the dead-letter topic is full"));
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
      onOutcome: (error, _delivery, context) => (context as Settle)(error),
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
 * A record at the size limit is to fit with our headers too. With the default limit of 1,000,000 it does: the broker's
 * own is 1,048,588.
 */
function withRoomForHeaders(config: ClientConfig): ClientConfig {
  const limit = config["message.max.bytes"];
  return typeof limit === "number" ? { ...config, "message.max.bytes": limit + HEADER_ROOM_BYTES } : config;
}

/** The record as it was, with its headers and ours beside them. */
export function toDeadLetter(topic: string, record: ConsumedRecord, why: DeadLetterCause): ProducerRecord {
  return {
    topic,
    key: record.key,
    value: record.value,
    headers: {
      ...record.headers,
      [deadLetterHeaders.cause]: why.cause.slice(0, MAX_CAUSE_CHARACTERS),
      [deadLetterHeaders.reason]: why.reason,
      [deadLetterHeaders.tries]: String(why.tries),
      [deadLetterHeaders.topic]: record.topic,
      [deadLetterHeaders.partition]: String(record.partition),
      [deadLetterHeaders.offset]: String(record.offset),
      [deadLetterHeaders.timestamp]: String(record.timestampMs),
    },
  };
}

/** Where the broker's limit leaves no room for our headers, the record's place has to do: there it can be read. */
function withoutValue(letter: ProducerRecord, why: DeadLetterCause): ProducerRecord {
  const cause = `${why.cause.slice(0, MAX_CAUSE_CHARACTERS)} (value left out: too large with these headers)`;
  return { ...letter, value: null, headers: { ...letter.headers, [deadLetterHeaders.cause]: cause } };
}
