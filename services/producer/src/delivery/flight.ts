// What is in flight: a bare event (accepted, in memory only), a Flight (somebody wants to know), a record of the journal.

import type { JournalRecord } from "./journal/cursor.ts";
import type { Position } from "./journal/journal.ts";
import type { EncodedEvent, StoredOutcome } from "./types.ts";

/** What is needed of an event to send it (again). */
export type Kept = Pick<EncodedEvent, "key" | "value" | "receivedMs">;

/** An event with more to it than "accepted": written down already, or waited for. */
export class Flight {
  /** Where it is in the journal; Kafka's confirmation releases it there. */
  position: Position | undefined;
  /** Told the outcome, at most once. Present from the start for a `stored` event. */
  waiter: ((outcome: StoredOutcome) => void) | undefined;
  /** Its caller was promised an answer within a deadline: it isn't kept beyond that, so never journalled. */
  readonly isStored: boolean;

  private constructor(
    readonly event: Kept,
    position: Position | undefined,
    waiter: ((outcome: StoredOutcome) => void) | undefined,
  ) {
    this.position = position;
    this.waiter = waiter;
    this.isStored = waiter !== undefined;
  }

  /** An event that is in the journal at `position`. */
  static journalled(event: Kept, position: Position): Flight {
    return new Flight(event, position, undefined);
  }

  /** An event whose caller waits. */
  static awaited(event: EncodedEvent, waiter: (outcome: StoredOutcome) => void): Flight {
    return new Flight(event, undefined, waiter);
  }

  /** Answers the caller, unless that is done. */
  settle(outcome: StoredOutcome): void {
    const waiter = this.waiter;
    this.waiter = undefined;
    waiter?.(outcome);
  }
}

export type Entry = Kept | Flight | JournalRecord;

/** The time that a record sent later than it was received is given. */
export function receivedMs(event: Kept): number {
  return event.receivedMs ?? Date.now();
}
