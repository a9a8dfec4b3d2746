// A fake Kafka for tests of delivery: partitions in memory, and a client like librdkafka's idempotent producer: its queue
// is bounded, partitions are ordered, a batch is refused as a whole, and outcomes arrive later or never.

import { KafkaError, type KafkaErrorCode, type NewHeaders } from "@ingest/kafka";
import type { OutcomeHandler, Sink, SinkRecord } from "../sink.ts";

export interface FakeRecord {
  key: string | null;
  value: string;
  topic: string | undefined;
  timestampMs: number | undefined;
  headers: NewHeaders | undefined;
}

interface Queued {
  record: FakeRecord;
  ticket: number;
}

function kafkaError(code: KafkaErrorCode): KafkaError {
  return new KafkaError(code, `fake: ${code}`, { rdkafkaCode: -1 });
}

/** Brokers refuse this record, and with it its batch. */
function isGuilty({ value }: Pick<FakeRecord, "value">): boolean {
  return value.includes("refused");
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
  /** Refuses records whose timestamp isn't that of sending. */
  refusesTimestamps = false;
  /** Of a refused batch, the broker names the records at fault. */
  namesRecords = false;
  /** Outcomes of a refused batch arrive only with the next delivery; what is sent meanwhile fails before them. */
  delaysRefusals = false;
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

  /** Topics share the partitions. */
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
  /** A batch was refused: it sends nothing more, and every call fails. */
  #isBroken = false;
  /** Outcomes that the client has not reported yet. */
  #unreported: (() => void)[] = [];
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
    return this.#queues.reduce((sum, queue) => sum + queue.length, this.#unreported.length);
  }

  send({ key, value, topic, headers }: SinkRecord, ticket: number, timestampMs?: number): boolean {
    if (this.#isBroken) {
      if (this.#unreported.length === 0) throw kafkaError("fatal");
      if (this.queued >= this.#kafka.queueSize) return false;
      // It was queued, and failed at the end of the turn.
      this.#unreported.unshift(() => this.#onOutcome(ticket, kafkaError("fatal"), "", -1, -1));
      return true;
    }
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
    if (this.#isBroken) throw kafkaError("fatal");
    if (this.queued >= this.#kafka.queueSize) return false;
    this.#queues[this.#kafka.partitionOf(key)]!.push({
      record: { key, value: text, topic, timestampMs, headers },
      ticket,
    });
    return true;
  }

  /** The broker takes or refuses the oldest records of a partition, as one batch. */
  deliver(partition: number, count = Number.POSITIVE_INFINITY): void {
    for (const report of this.#unreported.splice(0)) report();
    if (!this.#kafka.isUp || this.#kafka.leaderless.has(partition) || this.#isBroken) return;
    const batch = this.#queues[partition]!.splice(0, count);
    const refused = batch.find(({ record }) => this.#refusalOf(record));
    if (refused) {
      this.#refuse(partition, batch, this.#refusalOf(refused.record)!);
      return;
    }
    const offsets = batch.map(({ record }) => this.#kafka.write(partition, record));
    for (const [i, { ticket }] of batch.entries())
      this.#onOutcome(ticket, null, "events", partition, offsets[i]!);
  }

  #refusalOf({ value, timestampMs }: FakeRecord): KafkaErrorCode | undefined {
    if (isGuilty({ value })) return "invalid_record";
    return this.#kafka.refusesTimestamps && timestampMs !== undefined ? "invalid_timestamp" : undefined;
  }

  /** As with `enable.gapless.guarantee`: records behind a refused batch are purged. */
  #refuse(partition: number, batch: Queued[], code: KafkaErrorCode): void {
    this.#isBroken = true;
    const outcomes = batch.map(({ ticket, record }) => {
      const own = this.#kafka.namesRecords && !this.#refusalOf(record) ? "batch_refused" : code;
      return () => this.#onOutcome(ticket, kafkaError(own), "events", partition, -1);
    });
    const purged = this.#purge();
    // Other threads of the client purge: their outcomes may come first.
    if (this.#kafka.delaysRefusals) this.#unreported.push(...purged, ...outcomes);
    else for (const report of [...outcomes, ...purged]) report();
  }

  /** Takes the records out of the queues. @returns what reports them */
  #purge(): (() => void)[] {
    return this.#queues.flatMap((queue) =>
      queue.splice(0).map(
        ({ ticket }) =>
          () =>
            this.#onOutcome(ticket, kafkaError("abandoned"), "", -1, -1),
      ),
    );
  }

  /**
   * The oldest record of a partition fails, though the broker may have written it. After a fatal error the client sends
   * nothing more.
   */
  fail(partition: number, code: KafkaErrorCode, isWritten: boolean): void {
    const next = this.#queues[partition]?.shift();
    if (!next) return;
    if (isWritten && !isGuilty(next.record)) this.#kafka.write(partition, next.record);
    else this.#failed.add(partition);
    const purged = code === "fatal" ? this.#purge() : [];
    this.#isBroken ||= code === "fatal";
    this.#onOutcome(next.ticket, kafkaError(code), "events", partition, -1);
    for (const report of purged) report();
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
    for (const report of this.#unreported.splice(0)) report();
    for (const [partition, queue] of this.#queues.entries()) {
      // Up to five requests may be in flight, and the broker may receive the first ones.
      const guilty = queue.findIndex(({ record }) => isGuilty(record));
      const inFlight = this.#failed.has(partition)
        ? []
        : queue.slice(0, guilty === -1 ? 5 : Math.min(guilty, 5));
      this.#kafka.deferWrite(() => {
        for (const { record } of inFlight) this.#kafka.write(partition, record);
      });
      for (const { ticket } of queue.splice(0)) this.#onOutcome(ticket, kafkaError("abandoned"), "", -1, -1);
    }
  }
}
