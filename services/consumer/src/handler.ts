// What handles events: one interface, and what it is told about each event.
import type { StoredEvent } from "@ingest/contract";

/** Where an event stands in Kafka, and how this try at it is going. */
export interface EventContext {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The record's key: the event's user_id, or null. */
  readonly key: string | null;
  /** When the API received it (the record's timestamp), Unix ms; -1 when there is none. */
  readonly timestampMs: number;
  readonly headers: Readonly<Record<string, Buffer>>;
  /** The event's JSON text, as it stands in the record. */
  readonly text: string;
  /** 1 at first, one more at each retry. */
  readonly tries: number;
  /** Aborted when the partition is given up: what is under way should end, for it counts no more. */
  readonly signal: AbortSignal;
}

/**
 * Handles events: each at least once, those of one key in order. A partition's events come one after the other, or with
 * CONSUMER_CONCURRENCY above 1 those of different keys side by side.
 */
export interface EventHandler {
  /** As in CONSUMER_HANDLER. */
  readonly name: string;
  /** Called once, before the first event. A failure ends the service. */
  start?(): Promise<void> | void;
  /**
   * Handles one event. Returning, or resolving, means handled, after `flush` where there is one. Throwing means try
   * again later, and in the end the dead-letter topic; a PermanentFailure goes there at once.
   */
  handle(event: StoredEvent, context: EventContext): Promise<void> | void;
  /**
   * For handlers that collect: resolves when all that `handle` took before the call is safe. Only then do offsets move
   * on. A failure is about the medium, not about an event: the same flush is tried again until it succeeds.
   */
  flush?(): Promise<void> | void;
  /** Called once, after the last event and flush. */
  stop?(): Promise<void> | void;
}

/** A failure that trying again can't mend: this event, as it is, will never be handled. */
export class PermanentFailure extends Error {
  override name = "PermanentFailure";
}
