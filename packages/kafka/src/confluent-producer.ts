// Confluent's Producer behind KafkaProducer.
import type { Producer } from "@confluentinc/kafka-javascript";
import { connectClient, construct, disconnectClient, listen, pollOnceConnected } from "./client.ts";
import {
  KafkaError,
  RDKAFKA_ABANDONED,
  RDKAFKA_ALL_BROKERS_DOWN,
  RDKAFKA_NOT_CONNECTED,
  RDKAFKA_QUEUE_FULL,
  toKafkaError,
} from "./errors.ts";
import { PendingRecords, type Slot } from "./pending.ts";
import type { KafkaProducer, ProducerOptions } from "./producer.ts";
import type { ClientConfig, ProducerRecord } from "./records.ts";
import { type ProducerStatistics, toProducerStatistics } from "./statistics.ts";

/** The addon's producer: Confluent's `produce` without its JavaScript wrapper, returning librdkafka's code. */
interface NativeProducer {
  produce(
    topic: string,
    partition: number,
    value: Uint8Array | null,
    key: string | Uint8Array | null,
    timestamp?: number,
    opaque?: Slot,
    headers?: Record<string, string | Uint8Array>[],
  ): number;
}

interface Report {
  topic: string;
  partition: number;
  offset: number;
  size: number;
  opaque?: Slot;
}

const ANY_PARTITION = -1;
/** Of a close's time, what is kept for letting go of the client. */
const DISCONNECT_SHARE = 0.2;
const DISCONNECT_AT_LEAST_MS = 100;
const DISCONNECT_AT_MOST_MS = 2_000;

export class ConfluentProducer implements KafkaProducer {
  readonly #options: ProducerOptions;
  readonly #config: ClientConfig;
  /** The client while it is connected. */
  #client: Producer | undefined;
  #native: NativeProducer | undefined;
  /** Made and not yet connected. */
  #unused: Producer | undefined;
  #connecting: Promise<void> | undefined;
  #closing: Promise<{ undelivered: number }> | undefined;
  #isClosed = false;
  #isUp = false;
  #messages = 0;
  #bytes = 0;
  readonly #pending = new PendingRecords();
  #whenDrained: (() => void)[] = [];
  #statistics: ProducerStatistics | undefined;
  /** One error object for each code: thousands of records may fail at once, all for the same reason. */
  readonly #outcomeErrors = new Map<number, KafkaError>();

  constructor(options: ProducerOptions) {
    this.#options = options;
    this.#config = { ...options.config, dr_cb: this.#onReport };
    // Now, so that a configuration that can't be is refused before anything else is started.
    this.#unused = this.#construct();
  }

  get connected(): boolean {
    return this.#isUp && this.#native !== undefined;
  }

  queued(): { messages: number; bytes: number } {
    return { messages: this.#messages, bytes: this.#bytes };
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
    if (this.#client) return;
    // A client that failed to connect can't be used again, so each attempt has its own.
    const client = this.#unused ?? this.#construct();
    this.#unused = undefined;
    const stopPolling = pollOnceConnected(client);
    try {
      await connectClient(client, timeoutMs);
    } finally {
      stopPolling();
    }
    if (this.#closing) {
      await disconnectClient(client, DISCONNECT_AT_MOST_MS);
      throw notConnected("The producer was closed while it connected");
    }
    this.#client = client;
    this.#native = client.getClient() as NativeProducer;
    this.#isUp = true;
  }

  #construct(): Producer {
    const client = construct(this.#config, ({ Producer }) => new Producer(this.#config));
    listen(client, {
      onError: (error) => this.#onError(error),
      onStatistics: (json) => this.#onStatistics(json),
      ...(this.#options.onLog ? { onLog: this.#options.onLog } : {}),
    });
    return client;
  }

  produce(record: ProducerRecord): "queued" | "full" {
    const native = this.#native;
    if (native === undefined || this.#closing !== undefined)
      throw notConnected(this.#closing ? "The producer is closed" : "The producer isn't connected");
    const { topic, value, context, headers } = record;
    const key = typeof record.key === "string" ? wholeText(record.key) : record.key;
    const slot = context === undefined ? undefined : this.#pending.take(topic, context);
    const partition = record.partition ?? ANY_PARTITION;
    let code: number;
    try {
      // As few arguments as there are: each costs the addon a look.
      if (headers !== undefined)
        code = native.produce(topic, partition, value, key, record.timestampMs, slot, toHeaderList(headers));
      else if (slot !== undefined)
        code = native.produce(topic, partition, value, key, record.timestampMs, slot);
      else code = native.produce(topic, partition, value, key, record.timestampMs);
    } catch (thrown) {
      if (slot !== undefined) this.#pending.release(slot);
      throw toKafkaError(thrown);
    }
    if (code === 0) {
      this.#messages++;
      if (value !== null) this.#bytes += value.byteLength;
      return "queued";
    }
    if (slot !== undefined) this.#pending.release(slot);
    if (code === RDKAFKA_QUEUE_FULL) return "full";
    throw toKafkaError(code);
  }

  readonly #onReport = (error: { code: number } | null, report: Report): void => {
    // What was abandoned has had its outcome.
    if (this.#isClosed) return;
    this.#messages--;
    this.#bytes -= report.size;
    const context = report.opaque === undefined ? undefined : this.#pending.release(report.opaque);
    if (error === null) {
      this.#isUp = true;
      this.#options.onOutcome(null, report, context);
    } else this.#options.onOutcome(this.#outcomeError(error), report, context);
    if (this.#messages === 0 && this.#whenDrained.length > 0) this.#settleDrained();
  };

  #outcomeError(error: { code: number }): KafkaError {
    let known = this.#outcomeErrors.get(error.code);
    if (known === undefined) {
      known = toKafkaError(error);
      this.#outcomeErrors.set(error.code, known);
    }
    return known;
  }

  #settleDrained(): void {
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
    const client = this.#client;
    if (this.#messages === 0 || client === undefined || timeoutMs <= 0) return this.#messages === 0;
    const drained = new Promise<void>((resolve) => this.#whenDrained.push(resolve));
    // librdkafka's flush returns when its reports are on their way; they are here when the count says so.
    client.flush(timeoutMs);
    await within(drained, timeoutMs);
    return this.#messages === 0;
  }

  close(timeoutMs: number): Promise<{ undelivered: number }> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<{ undelivered: number }> {
    const deadline = performance.now() + timeoutMs;
    const forDisconnect = clamp(timeoutMs * DISCONNECT_SHARE, DISCONNECT_AT_LEAST_MS, DISCONNECT_AT_MOST_MS);
    if (this.#connecting)
      await within(
        this.#connecting.catch(() => undefined),
        timeoutMs,
      );
    await this.flush(deadline - forDisconnect - performance.now());
    const client = this.#client;
    this.#native = undefined;
    this.#client = undefined;
    this.#isUp = false;
    if (client) await disconnectClient(client, Math.max(forDisconnect, deadline - performance.now()));
    return { undelivered: this.#abandon() };
  }

  #abandon(): number {
    this.#isClosed = true;
    const undelivered = this.#messages;
    this.#messages = 0;
    this.#bytes = 0;
    if (undelivered > 0) {
      const error = this.#outcomeError({ code: RDKAFKA_ABANDONED });
      const known = this.#pending.drain();
      for (const { topic, context } of known)
        this.#options.onOutcome(error, { topic, partition: -1, offset: -1 }, context);
      for (let i = known.length; i < undelivered; i++)
        this.#options.onOutcome(error, { topic: "", partition: -1, offset: -1 }, undefined);
    }
    this.#settleDrained();
    return undelivered;
  }
}

/** The addon reads a text key up to its first NUL; as bytes it goes whole. */
function wholeText(key: string): string | Uint8Array {
  return key.includes("\0") ? Buffer.from(key) : key;
}

function toHeaderList(headers: Record<string, string | Uint8Array>): Record<string, string | Uint8Array>[] {
  return Object.entries(headers).map(([name, value]) => ({
    [name]: typeof value === "string" ? Buffer.from(value) : value,
  }));
}

function notConnected(message: string): KafkaError {
  return new KafkaError("not_connected", message, { rdkafkaCode: RDKAFKA_NOT_CONNECTED });
}

async function within(promise: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(timeoutMs, 0));
  });
  await Promise.race([promise, timeout]);
  clearTimeout(timer);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
