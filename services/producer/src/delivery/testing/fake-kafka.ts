// A Kafka for tests of delivery: partitions in memory, and a client that behaves as librdkafka's idempotent producer
// does where it matters: a queue with a bound, order within a partition, outcomes that come later or never.

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
  const isMendable = code !== "message_too_large" && code !== "invalid_record";
  return new KafkaError(code, `fake: ${code}`, {
    rdkafkaCode: -1,
    canRetry: isMendable,
    isFatal: code === "fatal",
  });
}

export class FakeKafka {
  /** What each partition holds. */
  readonly log: FakeRecord[][];
  /** Clients that aren't closed. */
  readonly sinks: FakeSink[] = [];
  /** Brokers can be reached. */
  isUp = true;
  /** Clients say that they have a broker: it may answer and yet take nothing. */
  looksUp: boolean | undefined;
  /** Partitions that no broker leads: others go on. */
  readonly leaderless = new Set<number>();
  /** An older record of the client's fails with this while the next one is handed over. */
  failOnSend: KafkaErrorCode | undefined;
  /** How many records a client takes. */
  queueSize = 1000;
  /** Writes of closed clients that the brokers have yet to see. */
  #late: (() => void)[] = [];

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

  /** All values, each the first time it was written, by key. */
  firstByKey(): Map<string | null, string[]> {
    const byKey = new Map<string | null, string[]>();
    for (const { key, value } of this.log.flat()) {
      const values = byKey.get(key) ?? [];
      if (!values.includes(value)) values.push(value);
      byKey.set(key, values);
    }
    return byKey;
  }

  later(write: () => void): void {
    this.#late.push(write);
  }

  /** The brokers see what closed clients had under way. */
  landLate(): void {
    for (const write of this.#late.splice(0)) write();
  }

  /** Delivers everything that clients hold, until there is nothing more. */
  deliverAll(): void {
    for (const sink of [...this.sinks]) for (const partition of this.log.keys()) sink.deliver(partition);
  }
}

export class FakeSink implements Sink {
  readonly #kafka: FakeKafka;
  readonly #onOutcome: OutcomeHandler;
  readonly #queues: Queued[][];
  /** Partitions in which a record failed: what is behind it isn't under way. */
  readonly #broken = new Set<number>();
  isClosed = false;
  /** How often a record was handed over. */
  sends = 0;
  /** Takes nothing, whatever room there is. */
  isDeaf = false;

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
    if (this.isDeaf) return false;
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

  /** The broker takes and confirms the oldest records of a partition. */
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

  /** The oldest record of a partition fails; the broker may have it all the same. */
  fail(partition: number, code: KafkaErrorCode, isWritten: boolean): void {
    const next = this.#queues[partition]?.shift();
    if (!next) return;
    if (isWritten) this.#kafka.write(partition, next.record);
    else this.#broken.add(partition);
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
      // Up to five requests may be on the wire, of which the broker sees a beginning.
      const underWay = this.#broken.has(partition) ? [] : queue.slice(0, 5);
      this.#kafka.later(() => {
        for (const { record } of underWay) this.#kafka.write(partition, record);
      });
      for (const { ticket } of queue.splice(0)) this.#onOutcome(ticket, kafkaError("abandoned"), "", -1, -1);
    }
  }
}
