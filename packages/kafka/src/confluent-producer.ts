// Confluent's Producer behind KafkaProducer. Records enter librdkafka through the addon's outbox: those of one
// turn of the event loop by one call, with outcomes returned in bulk; connecting, events, flushing and closing are Confluent's own.
import type { Producer } from "@confluentinc/kafka-javascript";
import { createOutbox, type NativeOutbox, OUTCOME_BYTES } from "@ingest/kafka-native";
import { settlesWithin } from "@ingest/wait";
import { connectClient, construct, disconnectClient, listen, pollOnceConnected } from "./client.ts";
import {
  KafkaError,
  RDKAFKA_ABANDONED,
  RDKAFKA_ALL_BROKERS_DOWN,
  RDKAFKA_INCONSISTENT,
  RDKAFKA_MESSAGE_TOO_LARGE,
  RDKAFKA_NOT_CONNECTED,
  RDKAFKA_PURGED_IN_FLIGHT,
  RDKAFKA_PURGED_IN_QUEUE,
  RDKAFKA_QUEUE_FULL,
  toKafkaError,
} from "./errors.ts";
import { toHeaderBlock } from "./header-block.ts";
import { PendingRecords } from "./pending.ts";
import type { KafkaProducer, ProducerOptions } from "./producer.ts";
import { RecordSlab } from "./record-slab.ts";
import type { ClientConfig, ProducerRecord } from "./records.ts";
import { type ProducerStatistics, toProducerStatistics } from "./statistics.ts";

const ANY_PARTITION = -1;
/** Most outcomes read by one call. */
const OUTCOMES_AT_ONCE = 4096;
/** librdkafka's defaults. */
const DEFAULTS = {
  "queue.buffering.max.messages": 100_000,
  "queue.buffering.max.kbytes": 1_048_576,
  "message.max.bytes": 1_000_000,
};
/**
 * The queue's limits are enforced here, before a record is handed over. librdkafka's own are wider by this factor: it
 * counts a record for some moments after its outcome is known.
 */
const CLIENT_QUEUE_SLACK = 1.25;
/** The share of `close`'s time that is reserved for disconnecting. */
const DISCONNECT_SHARE = 0.2;
const DISCONNECT_AT_LEAST_MS = 100;
const DISCONNECT_AT_MOST_MS = 2_000;

/** One of Confluent's producers with its outbox. */
interface Connection {
  readonly client: Producer;
  readonly outbox: NativeOutbox;
}

export class ConfluentProducer implements KafkaProducer {
  readonly #options: ProducerOptions;
  readonly #config: ClientConfig;
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  readonly #maxRecordBytes: number;
  readonly #isIdempotent: boolean;
  /** The client while it is connected. */
  #connection: Connection | undefined;
  /** The connection's open topics, by name. */
  readonly #topics = new Map<string, number>();
  /** The topic of the record produced last, and its index. */
  #lastTopic: string | undefined;
  #lastTopicIndex = 0;
  /** Created and not yet connected. */
  #unused: Connection | undefined;
  #connecting: Promise<void> | undefined;
  #closing: Promise<{ undelivered: number }> | undefined;
  #isUp = false;
  readonly #pending = new PendingRecords();
  readonly #slab = new RecordSlab();
  #isHandOverScheduled = false;
  readonly #outcomes = Buffer.allocUnsafeSlow(OUTCOMES_AT_ONCE * OUTCOME_BYTES);
  readonly #outcomeInts = new Int32Array(this.#outcomes.buffer);
  readonly #outcomeOffsets = new Float64Array(this.#outcomes.buffer);
  #whenDrained: (() => void)[] = [];
  #statistics: ProducerStatistics | undefined;
  /** One error object for each code: thousands of records may fail at once, all for the same reason. */
  readonly #outcomeErrors = new Map<number, KafkaError>();

  constructor(options: ProducerOptions) {
    this.#options = options;
    const config = { ...DEFAULTS, ...options.config };
    this.#maxMessages = Number(config["queue.buffering.max.messages"]);
    this.#maxBytes = Number(config["queue.buffering.max.kbytes"]) * 1024;
    this.#maxRecordBytes = Number(config["message.max.bytes"]);
    this.#isIdempotent = options.config["enable.idempotence"] === true;
    this.#config = {
      ...config,
      "queue.buffering.max.messages": Math.ceil(this.#maxMessages * CLIENT_QUEUE_SLACK),
      "queue.buffering.max.kbytes": Math.ceil((this.#maxBytes / 1024) * CLIENT_QUEUE_SLACK),
      // The outbox records each outcome itself; delivery reports of success would go unused.
      "delivery.report.only.error": true,
    };
    // An invalid configuration is rejected here, before anything else starts.
    this.#unused = this.#construct();
  }

  get connected(): boolean {
    return this.#isUp && this.#connection !== undefined;
  }

  queued(): { messages: number; bytes: number } {
    return { messages: this.#pending.count, bytes: this.#pending.bytes };
  }

  statistics(): ProducerStatistics | undefined {
    return this.#statistics;
  }

  connect(timeoutMs: number): Promise<void> {
    if (this.#closing) return Promise.reject(notConnected("The producer is closed"));
    this.#connecting ??= this.#connect(timeoutMs).finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connect(timeoutMs: number): Promise<void> {
    if (this.#connection) return;
    // A client that failed to connect can't be used again, so each attempt has its own.
    const connection = this.#unused ?? this.#construct();
    const { client, outbox } = connection;
    this.#unused = undefined;
    const stopPolling = pollOnceConnected(client);
    try {
      await connectClient(client, timeoutMs);
    } catch (error) {
      outbox.close();
      throw error;
    } finally {
      stopPolling();
    }
    if (this.#closing) {
      outbox.close();
      await disconnectClient(client, DISCONNECT_AT_MOST_MS);
      throw notConnected("The producer was closed while it connected");
    }
    this.#connection = connection;
    this.#isUp = true;
  }

  #construct(): Connection {
    const client = construct(this.#config, ({ Producer }) => new Producer(this.#config));
    const outbox = createOutbox(client, () => this.#takeOutcomes(outbox));
    listen(client, {
      onError: (error) => this.#onError(error),
      onStatistics: (json) => this.#onStatistics(json),
      ...(this.#options.onLog ? { onLog: this.#options.onLog } : {}),
    });
    return { client, outbox };
  }

  produce(record: ProducerRecord): "queued" | "full" {
    if (this.#connection === undefined || this.#closing !== undefined)
      throw notConnected(this.#closing ? "The producer is closed" : "The producer isn't connected");
    if (this.#pending.count >= this.#maxMessages || this.#pending.bytes >= this.#maxBytes) return "full";
    const { topic, key, value, headers, context } = record;
    if (value === null || record.partition !== undefined || record.timestampMs !== undefined)
      return this.#produceOne(record);
    if (!this.#slab.fits(key, value, headers)) {
      this.#handOver();
      if (!this.#slab.fits(key, value, headers)) return this.#produceOne(record);
    }
    const index = topic === this.#lastTopic ? this.#lastTopicIndex : this.#open(topic);
    const token = this.#pending.add(topic, 0, context);
    const size = this.#slab.add(index, key, value, headers, token);
    if (size > this.#maxRecordBytes) {
      this.#slab.removeLast(size);
      this.#pending.release(token);
      throw toKafkaError(RDKAFKA_MESSAGE_TOO_LARGE);
    }
    this.#pending.resize(token, size);
    if (!this.#isHandOverScheduled) {
      this.#isHandOverScheduled = true;
      setImmediate(this.#handOver);
    }
    return "queued";
  }

  /** @returns the topic's index in the outbox, which has it open from now on @throws KafkaError for an invalid name */
  #open(topic: string): number {
    let index = this.#topics.get(topic);
    if (index === undefined) {
      const settings = Object.entries(this.#options.topicConfig?.(topic) ?? {}).flat();
      try {
        index = this.#connection!.outbox.open(topic, settings);
      } catch (thrown) {
        throw toKafkaError(thrown);
      }
      this.#topics.set(topic, index);
    }
    this.#lastTopic = topic;
    this.#lastTopicIndex = index;
    return index;
  }

  /** Produces one record that the slab can't hold, after those already in the slab. */
  #produceOne(record: ProducerRecord): "queued" | "full" {
    this.#handOver();
    const { topic, context, partition = ANY_PARTITION, timestampMs = 0 } = record;
    // librdkafka keeps the settings with which a topic is opened first.
    this.#open(topic);
    const key = toBytes(record.key);
    const value = toBytes(record.value);
    const headers = record.headers && toHeaderBlock(record.headers);
    const size = (key?.byteLength ?? 0) + (value?.byteLength ?? 0) + (headers?.byteLength ?? 0);
    const token = this.#pending.add(topic, size, context);
    let code: number;
    try {
      const { outbox } = this.#connection!;
      code = outbox.produceOne(topic, partition, key, value, timestampMs, token, headers);
    } catch (thrown) {
      this.#pending.release(token);
      throw toKafkaError(thrown);
    }
    if (code === 0) return "queued";
    this.#pending.release(token);
    if (code === RDKAFKA_QUEUE_FULL) return "full";
    throw toKafkaError(code);
  }

  readonly #handOver = (): void => {
    this.#isHandOverScheduled = false;
    if (this.#connection === undefined || this.#slab.isEmpty) return;
    this.#slab.handOver(this.#connection.outbox, this.#onRefused);
    this.#settleDrained();
  };

  /** A record that was queued here and rejected by librdkafka, for example in a fatal state. */
  readonly #onRefused = (token: number, code: number): void => {
    const topic = this.#pending.topicOf(token);
    const context = this.#pending.release(token);
    this.#options.onOutcome(this.#outcomeError(code), { topic, partition: -1, offset: -1 }, context);
  };

  /** @returns how many records are newly known to be stored */
  #takeOutcomes(outbox: NativeOutbox): number {
    let count: number;
    let stored = 0;
    do {
      count = outbox.takeOutcomes(this.#outcomes);
      for (let i = 0; i < count; i++) {
        const at = (i * OUTCOME_BYTES) / Int32Array.BYTES_PER_ELEMENT;
        const token = this.#outcomeInts[at]!;
        let code = this.#outcomeInts[at + 1]!;
        const partition = this.#outcomeInts[at + 2]!;
        const offset = this.#outcomeOffsets[at / 2 + 2]!;
        // A success without an offset comes from no broker: librdkafka infers it from the success of a later record. The
        // inference is wrong for a partition that didn't know this producer yet: there Kafka accepts any first sequence
        // number, even of a record that follows a rejected one.
        if (code === 0 && offset < 0 && this.#isIdempotent) code = RDKAFKA_INCONSISTENT;
        const topic = this.#pending.topicOf(token);
        const context = this.#pending.release(token);
        if (code === 0) {
          stored++;
          this.#options.onOutcome(null, { topic, partition, offset }, context);
        } else this.#options.onOutcome(this.#outcomeError(code), { topic, partition, offset: -1 }, context);
      }
    } while (count === OUTCOMES_AT_ONCE);
    if (stored > 0) this.#isUp = true;
    this.#settleDrained();
    return stored;
  }

  #outcomeError(code: number): KafkaError {
    // Closing purges records; for their owner they are abandoned.
    const meant =
      code === RDKAFKA_PURGED_IN_QUEUE || code === RDKAFKA_PURGED_IN_FLIGHT ? RDKAFKA_ABANDONED : code;
    let known = this.#outcomeErrors.get(meant);
    if (known === undefined) {
      known = toKafkaError(meant);
      this.#outcomeErrors.set(meant, known);
    }
    return known;
  }

  #settleDrained(): void {
    if (this.#pending.count > 0 || this.#whenDrained.length === 0) return;
    const waiting = this.#whenDrained;
    this.#whenDrained = [];
    for (const resolve of waiting) resolve();
  }

  #onError(error: KafkaError): void {
    if (error.rdkafkaCode === RDKAFKA_ALL_BROKERS_DOWN) this.#isUp = false;
    this.#options.onError?.(error);
  }

  #onStatistics(json: string): void {
    const statistics = toProducerStatistics(json);
    if (statistics === undefined) return;
    this.#statistics = statistics;
    this.#isUp = statistics.brokersUp > 0;
    this.#options.onStatistics?.(statistics);
  }

  async flush(timeoutMs: number): Promise<boolean> {
    this.#handOver();
    if (this.#pending.count === 0 || this.#connection === undefined || timeoutMs <= 0)
      return this.#pending.count === 0;
    const drained = new Promise<void>((resolve) => this.#whenDrained.push(resolve));
    // librdkafka's flush sends lingering records at once; an empty `#pending` means that all outcomes have arrived.
    this.#connection.client.flush(timeoutMs);
    await settlesWithin(drained, timeoutMs);
    return this.#pending.count === 0;
  }

  close(timeoutMs: number): Promise<{ undelivered: number }> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<{ undelivered: number }> {
    const deadline = performance.now() + timeoutMs;
    const forDisconnect = clamp(timeoutMs * DISCONNECT_SHARE, DISCONNECT_AT_LEAST_MS, DISCONNECT_AT_MOST_MS);
    if (this.#connecting)
      await settlesWithin(
        this.#connecting.catch(() => undefined),
        timeoutMs,
      );
    await this.flush(deadline - forDisconnect - performance.now());
    const connection = this.#connection;
    this.#connection = undefined;
    this.#isUp = false;
    let undelivered = this.#pending.count;
    this.#unused?.outbox.close();
    if (connection) {
      const { client, outbox } = connection;
      outbox.close();
      await disconnectClient(client, Math.max(forDisconnect, deadline - performance.now()));
      undelivered -= this.#takeOutcomes(outbox);
      this.#isUp = false;
    }
    this.#abandon();
    return { undelivered };
  }

  /** Gives an outcome to the records of a client that did not disconnect in time. */
  #abandon(): void {
    for (const token of this.#pending.tokens()) this.#onRefused(token, RDKAFKA_ABANDONED);
    this.#settleDrained();
  }
}

export function toBytes(content: string | Uint8Array | null): Uint8Array | null {
  return typeof content === "string" ? Buffer.from(content) : content;
}

function notConnected(message: string): KafkaError {
  return new KafkaError("not_connected", message, { rdkafkaCode: RDKAFKA_NOT_CONNECTED });
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
