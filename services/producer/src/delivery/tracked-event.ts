// The three kinds of events in flight: a RetainedEvent (accepted, in memory only), a TrackedEvent (in the journal too, or
// its caller waits for the outcome), and a JournalRecord (replayed).

import type { JournalRecord } from "./journal/cursor.ts";
import type { Position } from "./journal/journal.ts";
import type { EncodedEvent, StoredOutcome } from "./types.ts";

/** The part of an event that is needed to send it again. */
export type RetainedEvent = Omit<EncodedEvent, "id">;

/** An event with more state than "accepted": a position in the journal, or a caller that waits. */
export class TrackedEvent {
  /** Its record in the journal, acknowledged there once Kafka confirms the event. */
  position: Position | undefined;
  /** Receives the outcome, at most once. Set from the start for a `stored` event. */
  onOutcome: ((outcome: StoredOutcome) => void) | undefined;
  /**
   * Requested as `stored`. Its caller gets an outcome within a deadline, so the event is never journalled: it must not be
   * sent long after that.
   */
  readonly isStored: boolean;

  private constructor(
    readonly event: RetainedEvent,
    position: Position | undefined,
    onOutcome: ((outcome: StoredOutcome) => void) | undefined,
  ) {
    this.position = position;
    this.onOutcome = onOutcome;
    this.isStored = onOutcome !== undefined;
  }

  /** An event that is in the journal at `position`. */
  static journalled(event: RetainedEvent, position: Position): TrackedEvent {
    return new TrackedEvent(event, position, undefined);
  }

  /** A `stored` event, whose caller waits for the outcome. */
  static awaited(event: EncodedEvent, onOutcome: (outcome: StoredOutcome) => void): TrackedEvent {
    return new TrackedEvent(event, undefined, onOutcome);
  }

  /** A `stored` event whose caller has its response: it must not be sent any more. */
  get isSettled(): boolean {
    return this.isStored && this.onOutcome === undefined;
  }

  /** Reports the outcome to the caller. Later calls do nothing. */
  settle(outcome: StoredOutcome): void {
    const onOutcome = this.onOutcome;
    this.onOutcome = undefined;
    onOutcome?.(outcome);
  }
}

export type InFlightEvent = RetainedEvent | TrackedEvent | JournalRecord;

/** The event of an entry, without what is tracked about it. */
export function toRetained(entry: InFlightEvent): RetainedEvent {
  return entry instanceof TrackedEvent ? entry.event : entry;
}

/** The timestamp of the record when it is sent later than it was received. */
export function receivedMs(event: RetainedEvent): number {
  return event.receivedMs ?? Date.now();
}
