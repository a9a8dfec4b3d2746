// What the rest of the producer may know of delivery: the events it takes, the outcomes it reports, and its state.

import type { ProblemCode } from "@ingest/contract";

/** An event ready for Kafka: nothing below HTTP looks into its value. */
export interface EncodedEvent {
  /** For logs and answers; the value carries it too. */
  readonly id: string;
  /** The record's key: events with the same key keep their order. */
  readonly key: string | null;
  /** The record's value, text as UTF-8. A buffer is kept until the outcome is known: it must not be written to again. */
  readonly value: string | Buffer;
  /** Unix ms of receipt, where that is known already: the record's time if it is sent later. */
  readonly receivedMs?: number;
}

/** Why an event wasn't taken, as a code of the problem table. */
export type RefusalCode = Extract<
  ProblemCode,
  "queue_full" | "journal_full" | "journal_unavailable" | "kafka_unavailable" | "shutting_down" | "too_large"
>;

/** The event was not taken: the caller still has it. `retryAfterSeconds` is absent where trying again can't help. */
export interface Refusal {
  readonly status: "refused";
  readonly code: RefusalCode;
  readonly retryAfterSeconds?: number;
}

/** The answer to `accept`, and to `durable` when all is well. Shared objects: an event costs none. */
export type Acceptance = { readonly status: "accepted" } | { readonly status: "durable" } | Refusal;

/** The event was taken, and what was asked for isn't confirmed (by the deadline): it may still arrive. */
export type Unknown = { readonly status: "unknown" };
export const UNKNOWN: Unknown = Object.freeze({ status: "unknown" });

/** The answer to `durable`. `unknown`: the disk hasn't confirmed. */
export type DurableOutcome = Acceptance | Unknown;

/** The answer to `stored`. `unknown`: Kafka hasn't confirmed. */
export type StoredOutcome =
  | { readonly status: "stored"; readonly topic: string; readonly partition: number; readonly offset: number }
  | Unknown
  | Refusal;

export interface Delivery {
  /**
   * Opens the journal, starts the client and begins to replay what a former process left. Doesn't wait for Kafka.
   * @throws JournalError when another process has the journal's folder, or it can't be written
   */
  start(): Promise<void>;

  /** The topics that events in the journal are for: another one than now, where KAFKA_TOPIC has changed. */
  journalTopics(): string[];

  /** Takes the event into memory (or, while spooling, into the journal). Synchronous; never waits. */
  accept(event: EncodedEvent): Acceptance;

  /**
   * Resolves once the event is on this machine's disk, or with `unknown` when that fails after the event was taken, or
   * takes too long. Events of the same few milliseconds share one fsync.
   */
  durable(event: EncodedEvent): Promise<DurableOutcome>;

  /** Resolves once all in-sync replicas have the event, or with `unknown` after `deadlineMs`. */
  stored(event: EncodedEvent, deadlineMs: number): Promise<StoredOutcome>;

  /**
   * Asked before an event is read: refuses it, and counts that, when nothing would be taken now, whatever is promised.
   * Costs one look in the usual case.
   */
  refuse(): Refusal | undefined;

  /** Cheap: may be asked for at each request. */
  state(): DeliveryState;

  /** Answers callers who wait for a disk or for Kafka: `unknown`. What they brought is treated as before. */
  answerWaiting(): void;

  /**
   * Refuses new events, hands what it holds to Kafka, and what Kafka doesn't take within the budget to the journal.
   * @returns how many events went to Kafka's next start (journalled) and how many could be kept nowhere (lost)
   */
  stop(budgetMs: number): Promise<StopResult>;
}

export interface StopResult {
  /** Records left in the journal for the next start. */
  journalled: number;
  /** Accepted events without outcome that no journal took. */
  lost: number;
}

export interface DeliveryState {
  /** Takes events now? True while Kafka is away too, as long as the journal has room. */
  ready: boolean;
  /** Why not, when not ready. */
  refusal?: RefusalCode;
  /** Kafka's client has a broker. */
  connected: boolean;
  /** Events go to the journal first, because Kafka doesn't take them or older ones are still in line. */
  spooling: boolean;
  /** Events handed to the client whose outcome is open. */
  inFlight: number;
  journal?: JournalState;
  counts: DeliveryCounts;
}

export interface JournalState {
  /** On disk and in the write buffer, acknowledged or not. */
  bytes: number;
  maxBytes: number;
  /** Not yet acknowledged by Kafka. */
  records: number;
  /** Age of the oldest record that isn't acknowledged, ms; 0 when there is none. */
  oldestMs: number;
  /** Takes new records now? */
  canTake: boolean;
  segments: number;
}

/** Plain numbers that only grow. */
export interface DeliveryCounts {
  /** Events Kafka confirmed. */
  delivered: number;
  /** Failed deliveries by the client's error code; those that time can mend are tried again from the journal. */
  failed: Record<string, number>;
  /** Refusals by code. */
  refused: Record<string, number>;
  /** Events accepted and then given up: Kafka refuses them for good and there is no journal to set them aside. */
  lost: number;
  /** Events set aside in the journal's rejected file, because Kafka refuses them for good. */
  rejected: number;
  /** Records written to the journal because Kafka didn't take them (not those a caller asked to be durable). */
  spooled: number;
  /** Records sent to Kafka from the journal. */
  replayed: number;
  /** Journal records that failed their checksum and were set aside. */
  corrupt: number;
  /** fsyncs of the journal, and how many failed. */
  fsyncs: number;
  fsyncFailures: number;
  /** Times the client was made anew because nothing was delivered. */
  clientRestarts: number;
}
