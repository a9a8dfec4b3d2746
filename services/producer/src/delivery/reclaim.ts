// Takes back the events that a client holds, in the order of sending, so that they can be sent again.

import type { InFlightTable } from "./in-flight-table.ts";
import { JournalRecord } from "./journal/cursor.ts";
import type { Journal, Position } from "./journal/journal.ts";
import { type InFlightEvent, type RetainedEvent, receivedMs, TrackedEvent } from "./tracked-event.ts";
import { UNKNOWN } from "./types.ts";

export interface Reclaimed {
  /** Number of events that the journal did not hold before. */
  spooled: number;
  /** Without a journal: the events, to be kept in memory. */
  retained: RetainedEvent[];
}

/**
 * Writes every event in flight to the journal, or returns it where there is none. `stored` events are settled as unknown
 * instead. The other entries stay in the table, so that a late confirmation still acknowledges them.
 */
export function reclaim(inFlight: InFlightTable<InFlightEvent>, journal: Journal | undefined): Reclaimed {
  const reclaimed: Reclaimed = { spooled: 0, retained: [] };
  let hasReclaimed = false;
  for (const [ticket, entry] of inFlight.entries()) {
    if (entry instanceof JournalRecord) {
      // The journal's cursor returns to this record by itself, unless its position is before that of an event that was
      // sent earlier.
      if (!journal || !hasReclaimed || journal.isAfterReclaimed(entry)) continue;
    } else if (entry instanceof TrackedEvent && entry.isStored) {
      inFlight.remove(ticket);
      entry.settle(UNKNOWN);
      continue;
    }
    const event = entry instanceof TrackedEvent ? entry.event : entry;
    if (!journal) {
      reclaimed.retained.push(event);
      continue;
    }
    const position = journal.appendReclaimed(event, receivedMs(event));
    hasReclaimed = true;
    const original = positionOf(entry);
    if (original) journal.supersede(original, position);
    else reclaimed.spooled++;
    inFlight.replace(ticket, TrackedEvent.journalled(event, position));
  }
  return reclaimed;
}

/** Where the event is in the journal already, if it is. */
export function positionOf(entry: InFlightEvent): Position | undefined {
  if (entry instanceof JournalRecord) return entry;
  return entry instanceof TrackedEvent ? entry.position : undefined;
}
