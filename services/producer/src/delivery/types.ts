// The interface of delivery: the events it takes, the outcomes it reports, and its state.

import type { RefusalCode } from "@ingest/contract";
import type { NewHeaders } from "@ingest/kafka";

export type { RefusalCode };

/** An event ready for Kafka. Delivery never looks into its value. */
export interface EncodedEvent {
  /** For logs and responses; the value contains it too. */
  readonly id: string;
  /** The record's key: events with the same key keep their order. */
  readonly key: string | null;
  /** The record's value; text is written as UTF-8. A buffer is kept until the outcome is known: do not write to it. */
  readonly value: string | Buffer;
  /** Unix ms of receipt, where known already: the record's timestamp if it is sent later. */
  readonly receivedMs?: number;
  /** The record's topic. Absent: KAFKA_TOPIC. */
  readonly topic?: string | undefined;
  /** The record's headers. Buffers are kept, as that of the value. */
  readonly headers?: NewHeaders | undefined;
}

/** The event was not taken: only the caller has it. `retryAfterSeconds` is absent where a retry cannot help. */
export interface Refusal {
  readonly status: "refused";
  readonly code: RefusalCode;
  /** For people: why. */
  readonly detail: string;
  readonly retryAfterSeconds?: number;
}

/** The outcome of `accept`. Shared objects: an event allocates none. */
export type AcceptOutcome = { readonly status: "accepted" } | { readonly status: "durable" } | Refusal;

/** The event was taken, but the requested durability was not confirmed in time: the event may still arrive. */
export type UnknownOutcome = { readonly status: "unknown" };
export const UNKNOWN: UnknownOutcome = Object.freeze({ status: "unknown" });

/** The outcome of `durable`. `unknown`: the fsync failed or timed out. */
export type DurableOutcome = AcceptOutcome | UnknownOutcome;

/** The outcome of `stored`. `unknown`: Kafka did not confirm in time. */
export type StoredOutcome =
  | { readonly status: "stored"; readonly topic: string; readonly partition: number; readonly offset: number }
  | UnknownOutcome
  | Refusal;

/** Settings of the topic that forbid events. */
export interface TopicLimits {
  /** The topic is compacted: it takes no record without a key. */
  isCompacted: boolean;
  /** `max.message.bytes`: the largest batch, compressed, with all its framing. */
  maxBatchBytes: number;
}

export interface Delivery {
  /**
   * Opens the journal, starts the client and begins to replay the records of an earlier process. Doesn't wait for Kafka.
   * @throws JournalError when another process uses the journal's folder, or the folder can't be written
   */
  start(): Promise<void>;

  /** The topics of the records in the journal: more than KAFKA_TOPIC alone when that setting has changed. */
  journalTopics(): string[];

  /** Takes the event into memory (or, while spooling, into the journal). Synchronous; never waits. */
  accept(event: EncodedEvent): AcceptOutcome;

  /**
   * Resolves once the event is on this machine's disk, or with `unknown` when the fsync fails or times out after the
   * event was taken. Events of the same few milliseconds share one fsync.
   */
  durable(event: EncodedEvent): Promise<DurableOutcome>;

  /** Resolves once all in-sync replicas have the event, or with `unknown` after `deadlineMs`. */
  stored(event: EncodedEvent, deadlineMs: number): Promise<StoredOutcome>;

  /**
   * Called before an event is read: returns a refusal, and counts it, when no event would be taken now, whatever
   * durability it requests. Costs one comparison in the usual case.
   */
  refuse(): Refusal | undefined;

  /**
   * From now on, events that the topic's limits forbid are refused at once. Until the first call none is.
   * @param topic absent: that of events that name none
   */
  setTopicLimits(limits: TopicLimits, topic?: string): void;

  /**
   * While no topic exists, events wait in the journal and nothing is sent: the client would hold them until it gives up.
   * Without a journal this does nothing.
   */
  setTopicsMissing(areMissing: boolean): void;

  /** Cheap enough to be called for each request. */
  state(): DeliveryState;

  /** Settles the pending `durable` and `stored` calls as `unknown`. Their events are delivered as before. */
  settlePending(): void;

  /**
   * Refuses new events, flushes the client, and writes to the journal what Kafka doesn't confirm within the budget.
   */
  stop(budgetMs: number): Promise<StopResult>;
}

export interface StopResult {
  /** Records left in the journal for the next start. */
  journalled: number;
  /** Accepted events without an outcome that could not be journalled. */
  lost: number;
}

export interface DeliveryState {
  /** Takes events now. Also true while Kafka is unavailable, as long as the journal has room. */
  ready: boolean;
  /** Why not, when not ready. */
  refusal?: RefusalCode;
  /** The client is connected to a broker. */
  connected: boolean;
  /** What the deliveries since the last success failed with; absent when none failed. */
  failing?: { code: string; meaning: string };
  /** New events go to the journal first: Kafka doesn't take them, or older events are still waiting. */
  spooling: boolean;
  /** Events handed to the client whose outcome is pending. */
  inFlight: number;
  journal?: JournalState;
  counts: DeliveryCounts;
}

export interface JournalState {
  /** On disk and in the write buffer, acknowledged or not. */
  bytes: number;
  maxBytes: number;
  /** Records that Kafka has not acknowledged. */
  records: number;
  /** Age of the oldest unacknowledged record, ms; 0 when there is none. */
  oldestAgeMs: number;
  /** Takes new records now. */
  isWritable: boolean;
  /** Why it can't be written: the system's error code, or `folder_replaced`, `file_removed`, `fsync_stuck`. */
  failure?: string;
  segments: number;
}

/** Counters: they only grow. */
interface DeliveryCounts {
  /** Events that Kafka confirmed. */
  delivered: number;
  /** Failed deliveries by the client's error code. With a journal, retriable ones are sent again. */
  failed: Record<string, number>;
  /** Refusals by code. */
  refused: Record<string, number>;
  /** Events accepted and then dropped: they failed for good, and there is no journal or quarantine. */
  lost: number;
  /** Events that Kafka rejected for good, in the file of rejected events. */
  rejected: number;
  /** Events written to the journal because Kafka didn't take them (`durable` events not counted). */
  spooled: number;
  /** Records sent to Kafka from the journal. */
  replayed: number;
  /** Journal records that failed their checksum and were quarantined. */
  corrupt: number;
  /** fsyncs of the journal, and how many failed. */
  fsyncs: number;
  fsyncFailures: number;
  /** Times the client was recreated because it delivered nothing. */
  clientRestarts: number;
}
