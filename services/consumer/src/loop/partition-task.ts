// One assigned partition: its records in flight, its progress, and the fence that ends it.
import type { ConsumedRecord, TopicDescription, TopicPartition } from "@ingest/kafka";
import { pause, settlesWithin } from "@ingest/wait";
import { Lanes } from "./lanes.ts";
import { OffsetTracker } from "./offset-tracker.ts";

/** A partition above either limit is paused, and resumed below a quarter of both. */
export interface BufferLimits {
  /** Records in flight, handled but not flushed, or finished after an older record that is still in flight. */
  records: number;
  /** Bytes of keys and values, of records in flight or not yet flushed. */
  bytes: number;
}

/** A partition's progress at one moment. */
export interface Checkpoint {
  position: number;
  records: number;
  bytes: number;
}

const RESUME_SHARE = 0.25;

/** Processes one record; the contract is `Process` in lanes.ts. */
export type ProcessRecord = (task: PartitionTask, record: ConsumedRecord) => Promise<void> | undefined;

export interface TaskStart {
  describedTopic?: TopicDescription | undefined;
  /** Chosen by this service, and committed at once; undefined: by the client. */
  startOffset?: number | undefined;
  /** Whether the log was truncated below offsets that were handled. */
  isRewound?: boolean;
}

export class PartitionTask implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly #lanes: Lanes<ConsumedRecord>;
  /** Whether the client was asked to pause this partition. */
  isPaused = false;
  /** The topic that its offsets are of; undefined while it isn't known. */
  readonly describedTopic: TopicDescription | undefined;
  readonly isRewound: boolean;
  /**
   * The next offset to commit: every record below it is handled and flushed. Before the first record it is the start
   * offset, or -1 where the client chose that.
   */
  committable: number;
  /**
   * The last offset that the broker confirmed for this assignment; -1 before the first commit. The start position is
   * therefore committed too: a new group with auto.offset.reset=latest would otherwise start at a later end after a crash.
   */
  committed = -1;
  readonly #tracker = new OffsetTracker();
  /** Totals since the assignment: accepted, finished, and finished before the last flush began. */
  readonly #accepted = { records: 0, bytes: 0 };
  readonly #finished = { records: 0, bytes: 0 };
  readonly #flushed = { records: 0, bytes: 0 };
  #failedTries = 0;
  #retrying = 0;
  #pausing = 0;
  /** Work outside the lanes, which needs no order. */
  readonly #unordered = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();
  readonly #fence = new AbortController();

  constructor(
    { topic, partition }: TopicPartition,
    concurrency: number,
    process: ProcessRecord,
    { describedTopic, startOffset = -1, isRewound = false }: TaskStart = {},
  ) {
    this.topic = topic;
    this.partition = partition;
    this.describedTopic = describedTopic;
    this.isRewound = isRewound;
    this.committable = startOffset;
    this.#lanes = new Lanes(concurrency, (record) => process(this, record));
  }

  /** Aborted when the partition is being revoked: no record is started, and waits between tries end. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Aborted when the partition is gone: handlers that finish later no longer move its offset. */
  get fenced(): AbortSignal {
    return this.#fence.signal;
  }

  /** Records accepted and not finished. */
  get inFlight(): number {
    return this.#accepted.records - this.#finished.records;
  }

  /** Records finished and not flushed. */
  get unflushed(): number {
    return this.#finished.records - this.#flushed.records;
  }

  /** Total of records flushed. */
  get flushed(): number {
    return this.#flushed.records;
  }

  /** Total of failed tries and finished records: it grows while handlers make progress. */
  get progressCount(): number {
    return this.#failedTries + this.#finished.records;
  }

  /** The oldest offset that is not finished; -1 before the first record. */
  get position(): number {
    return this.#tracker.position;
  }

  /** One past the last accepted offset; -1 before the first record. */
  get nextOffset(): number {
    return this.#tracker.next;
  }

  /** Accepts a record, in ascending order of offsets. Its key's lane decides when it starts. Ignored while closing. */
  accept(record: ConsumedRecord): void {
    if (this.closing.aborted) return;
    this.#tracker.start(record.offset);
    this.#accepted.records++;
    this.#accepted.bytes += bytesOf(record);
    this.#lanes.push(record.key === null ? null : record.key.toString(), record);
  }

  /** No record below this offset is still to come: the rest are transaction markers and compacted records. */
  readTo(offset: number): void {
    if (!this.closing.aborted) this.#tracker.skipTo(offset);
  }

  /** Marks an accepted record as finished: handled, or stored in the dead-letter topic. */
  finish(record: ConsumedRecord): void {
    this.#tracker.finish(record.offset);
    this.#finished.records++;
    this.#finished.bytes += bytesOf(record);
  }

  countFailedTry(): void {
    this.#failedTries++;
  }

  /** Registers work outside the lanes, so that `close` waits for it too. It must not reject. */
  trackUnordered(work: Promise<unknown>): void {
    this.#unordered.add(work);
    void work.then(() => this.#unordered.delete(work));
  }

  /** The partition stays paused while any of its events is being retried. */
  retryStarted(): void {
    this.#retrying++;
  }

  retryEnded(): void {
    this.#retrying--;
  }

  /** Whether an event waits for its next try, as it was told to. */
  get isPausing(): boolean {
    return this.#pausing > 0;
  }

  /** @returns false when the partition is being revoked */
  async pauseBetweenTries(ms: number): Promise<boolean> {
    this.#pausing++;
    try {
      return await pause(ms, this.closing);
    } finally {
      this.#pausing--;
    }
  }

  shouldPause(limits: BufferLimits): boolean {
    if (this.#retrying > 0) return true;
    const share = this.isPaused ? RESUME_SHARE : 1;
    return (
      // A stuck record holds the offset back: unbounded, everything after it would be handled and never committed.
      this.#tracker.span > limits.records * share ||
      this.#accepted.records - this.#flushed.records > limits.records * share ||
      this.#accepted.bytes - this.#flushed.bytes > limits.bytes * share
    );
  }

  /** The current progress, for `markFlushed` after a flush that starts now has succeeded. */
  checkpoint(): Checkpoint {
    return { position: this.#tracker.position, ...this.#finished };
  }

  markFlushed({ position, records, bytes }: Checkpoint): void {
    this.committable = Math.max(this.committable, position);
    this.#flushed.records = records;
    this.#flushed.bytes = bytes;
  }

  /**
   * Starts no more records and waits for those that run.
   * @returns whether all of them finished within the budget
   */
  close(budgetMs: number): Promise<boolean> {
    this.#closing.abort();
    this.#lanes.clear();
    return settlesWithin(Promise.all([this.#lanes.idle(), ...this.#unordered]), budgetMs);
  }

  /** From now on, records that still run no longer move the offset. */
  fence(): void {
    this.#closing.abort();
    this.#lanes.clear();
    this.#fence.abort();
  }
}

function bytesOf({ key, value }: ConsumedRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0);
}
