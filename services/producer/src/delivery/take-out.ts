// What a client holds goes back in line, in the order in which it was handed over.

import { type Entry, Flight, type Kept, receivedMs } from "./flight.ts";
import type { InFlight } from "./in-flight.ts";
import { JournalRecord } from "./journal/cursor.ts";
import type { Journal } from "./journal/journal.ts";
import { UNKNOWN } from "./types.ts";

export interface TakenOut {
  /** Events that are in the journal now and weren't before. */
  spooled: number;
  /** Events that have to be kept in memory, for there is no journal. */
  unkept: Kept[];
}

/** Takes everything out of a client's hands. Entries stay in flight, so that a late confirmation still counts. */
export function takeOut(inFlight: InFlight<Entry>, journal: Journal | undefined): TakenOut {
  const taken: TakenOut = { spooled: 0, unkept: [] };
  let hasPutBack = false;
  for (const [ticket, entry] of inFlight.entries()) {
    if (entry instanceof JournalRecord) {
      // In the journal already, where the cursor goes back to it: unless that is before an event handed over earlier.
      if (!journal || !hasPutBack || journal.isSpooledSince(entry)) continue;
    } else if (entry instanceof Flight && entry.isStored) {
      inFlight.take(ticket);
      entry.settle(UNKNOWN);
      continue;
    }
    const event = entry instanceof Flight ? entry.event : entry;
    if (!journal) {
      taken.unkept.push(event);
      continue;
    }
    const position = journal.putBack(event, receivedMs(event));
    hasPutBack = true;
    const original =
      entry instanceof Flight ? entry.position : entry instanceof JournalRecord ? entry : undefined;
    if (original) journal.supersede(original, position);
    else taken.spooled++;
    inFlight.replace(ticket, Flight.journalled(event, position));
  }
  return taken;
}
