// Takes back the events that wait in memory, in flight or to be sent again, in the order of sending.

import type { InFlightTable } from "./in-flight-table.ts";
import { JournalRecord } from "./journal/cursor.ts";
import type { Journal, Position } from "./journal/journal.ts";
import type { ResendQueue } from "./resend-queue.ts";
import { type InFlightEvent, receivedMs, TrackedEvent, toRetained } from "./tracked-event.ts";
import { UNKNOWN } from "./types.ts";

/**
 * Writes every event in flight, and then those in `resends`, to the journal; where there is none, they are left in
 * `resends`. `stored` events are settled as unknown instead. The other entries stay in the in-flight table, so that a late
 * confirmation still acknowledges them.
 * @returns the number of events that the journal did not hold before
 */
export function reclaim(
  inFlight: InFlightTable<InFlightEvent>,
  resends: ResendQueue,
  journal: Journal | undefined,
): number {
  let spooled = 0;
  let hasReclaimed = false;
  const waiting = resends.drain();

  function keep(entry: InFlightEvent): InFlightEvent | undefined {
    if (entry instanceof TrackedEvent && entry.isStored) {
      entry.settle(UNKNOWN);
      return undefined;
    }
    if (!journal) {
      resends.push(entry);
      return entry;
    }
    // The journal's cursor returns to this record by itself, unless its position is before that of an event that was
    // sent earlier.
    if (entry instanceof JournalRecord && (!hasReclaimed || journal.isAfterReclaimed(entry))) return entry;
    const event = toRetained(entry);
    const position = journal.appendReclaimed(event, receivedMs(event));
    hasReclaimed = true;
    const original = positionOf(entry);
    if (original) journal.supersede(original, position);
    else spooled++;
    return TrackedEvent.journalled(event, position);
  }

  for (const [ticket, entry] of inFlight.entries()) {
    const kept = keep(entry);
    if (kept === undefined) inFlight.remove(ticket);
    else if (kept !== entry) inFlight.replace(ticket, kept);
  }
  for (const entry of waiting) keep(entry);
  return spooled;
}

/** Where the event is in the journal already, if it is. */
export function positionOf(entry: InFlightEvent): Position | undefined {
  if (entry instanceof JournalRecord) return entry;
  return entry instanceof TrackedEvent ? entry.position : undefined;
}
