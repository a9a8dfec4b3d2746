// A fake Kafka for tests of delivery: partitions in memory, and a client like librdkafka's idempotent producer: its queue
// is bounded, partitions are ordered, and outcomes arrive later or never.

import { KafkaError, type KafkaErrorCode } from "@ingest/kafka";
import type { OutcomeHandler, Sink, SinkRecord } from "../sink.ts";

export interface FakeRecord {
  key: string | null;
  value: string;
  topic: string | undefined;
  timestampMs: number | undefined;
}

interface Queued {
  record: FakeRecord;
  ticket: number;
}

function kafkaError(code: KafkaErrorCode): KafkaError {
  const isRetriable = code !== "message_too_large" && code !== "invalid_record";
  return new KafkaError(code, `fake: ${code}`, {
    rdkafkaCode: -1,
    canRetry: isRetriable,
    isFatal: code === "fatal",
  });
}

export class FakeKafka {
  /** The records of each partition. */
  readonly log: FakeRecord[][];
  /** Clients that aren't closed. */
  readonly sinks: FakeSink[] = [];
  /** Brokers accept records. */
  isUp = true;
  /** Overrides `connected` of the clients: a broker may be connected and yet accept nothing. */
  looksUp: boolean | undefined;
  /** Partitions without a leader. */
  readonly leaderless = new Set<number>();
  /** During the next `send`, the oldest record of the client fails with this code. */
  failOnSend: KafkaErrorCode | undefined;
  /** Capacity of a client's queue. */
  queueSize = 1000;
  /** Writes of closed clients that have not reached the brokers yet. */
  #deferred: (() => void)[] = [];

  constructor(partitions = 3) {
    this.log = Array.from({ length: partitions }, () => []);
  }

  readonly createSink = (onOutcome: OutcomeHandler): FakeSink => {
    const sink = new FakeSink(this, onOutcome);
    this.sinks.push(sink);
    return sink;
  };

  partitionOf(key: string | null): number {
    return key === null ? 0 : Number(Bun.hash(key) % BigInt(this.log.length));
  }

  write(partition: number, record: FakeRecord): number {
    return this.log[partition]!.push(record) - 1;
  }

  /** The values by key, in the order in which each was first written. */
  firstByKey(): Map<string | null, string[]> {
    const byKey = new Map<string | null, string[]>();
    for (const { key, value } of this.log.flat()) {
      const values = byKey.get(key) ?? [];
      if (!values.includes(value)) values.push(value);
      byKey.set(key, values);
    }
    return byKey;
  }

  deferWrite(write: () => void): void {
    this.#deferred.push(write);
  }

  /** Lets the deferred writes of closed clients reach the brokers. */
  writeDeferred(): void {
    for (const write of this.#deferred.splice(0)) write();
  }

  /** Delivers all records in the queues of the clients. */
  deliverAll(): void {
    for (const sink of [...this.sinks]) for (const partition of this.log.keys()) sink.deliver(partition);
  }
}

export class FakeSink implements Sink {
  readonly #kafka: FakeKafka;
  readonly #onOutcome: OutcomeHandler;
  readonly #queues: Queued[][];
  /** Partitions in which a record failed: the records behind it are not in flight. */
  readonly #failed = new Set<number>();
  isClosed = false;
  /** Number of `send` calls with a valid record. */
  sends = 0;
  /** `send` returns false, whatever the room in the queue. */
  takesNothing = false;

  constructor(kafka: FakeKafka, onOutcome: OutcomeHandler) {
    this.#kafka = kafka;
    this.#onOutcome = onOutcome;
    this.#queues = kafka.log.map(() => []);
  }

  get connected(): boolean {
    return !this.isClosed && (this.#kafka.looksUp ?? this.#kafka.isUp);
  }

  get queued(): number {
    return this.#queues.reduce((sum, queue) => sum + queue.length, 0);
  }

  send({ key, value, topic, timestampMs }: SinkRecord, ticket: number): boolean {
    if (this.isClosed) throw kafkaError("not_connected");
    const text = value.toString();
    if (text.includes("too large")) throw kafkaError("message_too_large");
    this.sends++;
    if (this.takesNothing) return false;
    const failing = this.#kafka.failOnSend;
    this.#kafka.failOnSend = undefined;
    if (failing)
      this.fail(
        this.#queues.findIndex((queue) => queue.length > 0),
        failing,
        false,
      );
    if (this.queued >= this.#kafka.queueSize) return false;
    this.#queues[this.#kafka.partitionOf(key)]!.push({
      record: { key, value: text, topic, timestampMs },
      ticket,
    });
    return true;
  }

  /** The broker accepts and confirms the oldest records of a partition. */
  deliver(partition: number, count = Number.POSITIVE_INFINITY): void {
    if (!this.#kafka.isUp || this.#kafka.leaderless.has(partition)) return;
    for (let n = 0; n < count && !this.isClosed; n++) {
      const next = this.#queues[partition]!.shift();
      if (!next) return;
      if (next.record.value.includes("refused")) {
        this.#onOutcome(next.ticket, kafkaError("invalid_record"), "events", partition, -1);
        continue;
      }
      const offset = this.#kafka.write(partition, next.record);
      this.#onOutcome(next.ticket, null, "events", partition, offset);
    }
  }

  /** The oldest record of a partition fails, though the broker may have written it. */
  fail(partition: number, code: KafkaErrorCode, isWritten: boolean): void {
    const next = this.#queues[partition]?.shift();
    if (!next) return;
    if (isWritten) this.#kafka.write(partition, next.record);
    else this.#failed.add(partition);
    this.#onOutcome(next.ticket, kafkaError(code), "events", partition, -1);
  }

  async flush(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (this.queued > 0 && performance.now() < deadline) {
      if (this.#kafka.isUp) for (const partition of this.#queues.keys()) this.deliver(partition);
      await Bun.sleep(1);
    }
    return this.queued === 0;
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#kafka.sinks.splice(this.#kafka.sinks.indexOf(this), 1);
    for (const [partition, queue] of this.#queues.entries()) {
      // Up to five requests may be in flight, and the broker may receive the first ones.
      const inFlight = this.#failed.has(partition) ? [] : queue.slice(0, 5);
      this.#kafka.deferWrite(() => {
        for (const { record } of inFlight) this.#kafka.write(partition, record);
      });
      for (const { ticket } of queue.splice(0)) this.#onOutcome(ticket, kafkaError("abandoned"), "", -1, -1);
    }
  }
}
