// One assigned partition: what of it is under way, how far it is done, and the fence that ends it.
import type { ConsumedRecord, TopicPartition } from "@ingest/kafka";
import { settlesWithin } from "@ingest/wait";
import { Lanes } from "./lanes.ts";
import { OffsetTracker } from "./offset-tracker.ts";

/** Above either of these a partition is paused; below a quarter of both it goes on. */
export interface BufferLimits {
  /** Under way, handled and not flushed, or done with while an older one isn't. */
  records: number;
  /** Of keys and values, under way or handled and not flushed. */
  bytes: number;
}

function bytesOf({ key, value }: ConsumedRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0);
}

/** How far a partition was at one moment. */
export interface Progress {
  position: number;
  records: number;
  bytes: number;
}

const RESUME_SHARE = 0.25;

/** What is done with a record when its turn has come; see `Work` of lanes.ts. */
export type RecordWork = (work: PartitionWork, record: ConsumedRecord) => Promise<void> | undefined;

export class PartitionWork implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly #lanes: Lanes<ConsumedRecord>;
  /** Whether the client has been told to bring nothing. */
  isPaused = false;
  /** Next offset to commit, all below is handled and flushed; -1 before anything is. */
  settled = -1;
  /**
   * What the broker has confirmed to this assignment; -1 before that. So where reading began is committed too: a group
   * that begins at the log's end would begin at another one after a crash.
   */
  committed = -1;
  readonly #tracker = new OffsetTracker();
  /** Totals since the partition came: taken up, done with, and done with before the last flush began. */
  readonly #begun = { records: 0, bytes: 0 };
  readonly #finished = { records: 0, bytes: 0 };
  readonly #flushed = { records: 0, bytes: 0 };
  #failedTries = 0;
  #holds = 0;
  /** Work that isn't in a lane, for it needs no order. */
  readonly #outside = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();
  readonly #fence = new AbortController();

  constructor({ topic, partition }: TopicPartition, concurrency: number, work: RecordWork) {
    this.topic = topic;
    this.partition = partition;
    this.#lanes = new Lanes(concurrency, (record) => work(this, record));
  }

  /** Aborted once it is known that the partition goes: nothing new begins, no try is waited for. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Aborted when the partition is given up: what ends from now on counts no more. */
  get fenced(): AbortSignal {
    return this.#fence.signal;
  }

  /** Taken up and not done with. */
  get underWay(): number {
    return this.#begun.records - this.#finished.records;
  }

  /** Done with and not flushed. */
  get unflushed(): number {
    return this.#finished.records - this.#flushed.records;
  }

  /** Total of what was done with and flushed. */
  get flushed(): number {
    return this.#flushed.records;
  }

  /** Total of tries that failed and of records done with. */
  get ended(): number {
    return this.#failedTries + this.#finished.records;
  }

  /** The next offset that isn't done with; -1 before the first record. */
  get position(): number {
    return this.#tracker.position;
  }

  /** One past the last offset that was taken up; -1 before the first. No older one may be. */
  get next(): number {
    return this.#tracker.next;
  }

  /** Takes a record up, offsets ascending, unless the partition goes. Its turn comes by its key. */
  accept(record: ConsumedRecord): void {
    if (this.closing.aborted) return;
    this.#tracker.start(record.offset);
    this.#begun.records++;
    this.#begun.bytes += bytesOf(record);
    this.#lanes.push(record.key === null ? null : record.key.toString(), record);
  }

  /** Is done with a record that was taken up. */
  finish(record: ConsumedRecord): void {
    this.#tracker.finish(record.offset);
    this.#finished.records++;
    this.#finished.bytes += bytesOf(record);
  }

  /** A try at one of its records has failed. */
  failedTry(): void {
    this.#failedTries++;
  }

  /** Work on one of its records that no lane knows of; `close` waits for it too. It must not reject. */
  alongside(work: Promise<unknown>): void {
    this.#outside.add(work);
    void work.then(() => this.#outside.delete(work));
  }

  /** While anything holds it, nothing more is fetched. */
  hold(): void {
    this.#holds++;
  }

  unhold(): void {
    this.#holds--;
  }

  shouldPause(limits: BufferLimits): boolean {
    if (this.#holds > 0) return true;
    const share = this.isPaused ? RESUME_SHARE : 1;
    return (
      // One record that is stuck holds the offset back: without a bound all that follows would be done and never committed.
      this.#tracker.span > limits.records * share ||
      this.#begun.records - this.#flushed.records > limits.records * share ||
      this.#begun.bytes - this.#flushed.bytes > limits.bytes * share
    );
  }

  /** How far it is right now, for `settle` once a flush that began after this is over. */
  progress(): Progress {
    return { position: this.#tracker.position, ...this.#finished };
  }

  settle({ position, records, bytes }: Progress): void {
    this.settled = Math.max(this.settled, position);
    this.#flushed.records = records;
    this.#flushed.bytes = bytes;
  }

  /**
   * Ends it: nothing new begins, and what runs may finish within the budget.
   * @returns whether all of it has
   */
  close(budgetMs: number): Promise<boolean> {
    this.#closing.abort();
    this.#lanes.clear();
    return settlesWithin(Promise.all([this.#lanes.idle(), ...this.#outside]), budgetMs);
  }

  /** From now on nothing that still runs moves an offset. */
  fence(): void {
    this.#closing.abort();
    this.#lanes.clear();
    this.#fence.abort();
  }
}
