// What the loop counts, as plain numbers: the hot path adds, a scrape reads.
import { DurationHistogram } from "@ingest/service";

/** Upper bounds in seconds: powers of two from 1 µs, as a handler may take, to 72 minutes, as a backlog may last. */
const BOUNDS: readonly number[] = Array.from({ length: 32 }, (_, i) => 2 ** i / 1e6);

export class Counters {
  fetched = 0;
  handled = 0;
  /** Tries of a handler that failed. */
  failed = 0;
  /** Tries after the first. */
  retried = 0;
  deadLettered = 0;
  notAnEvent = 0;
  /** Records passed over: no event, or not handled in all its tries, with no dead-letter topic to go to. */
  dropped = 0;
  duplicates = 0;
  /** Taken up and left to the partition's next owner. */
  abandoned = 0;
  commits = 0;
  commitFailures = 0;
  flushFailures = 0;
  assigned = 0;
  revoked = 0;
  lost = 0;
  /** Times that a partition's offsets went back. */
  wentBack = 0;
  /** One try of the handler. */
  readonly handleTime = new DurationHistogram(BOUNDS);
  /** From the API's receipt (the record's timestamp) until handled. */
  readonly delay = new DurationHistogram(BOUNDS);
}
