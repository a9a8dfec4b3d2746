// The loop's counters as plain numbers: the hot path increments them, a scrape reads them.
import { DurationHistogram } from "@ingest/service";

/** Upper bounds in seconds: powers of two from 1 µs, as a handler may take, to 72 minutes, as a backlog may last. */
const BOUNDS: readonly number[] = Array.from({ length: 32 }, (_, i) => 2 ** i / 1e6);

export class Counters {
  fetched = 0;
  handled = 0;
  /** Failed tries of the handler. */
  failed = 0;
  /** Tries after the first. */
  retried = 0;
  deadLettered = 0;
  notAnEvent = 0;
  /** Records that could not be handled and were skipped, because DEAD_LETTER_TOPIC is off. */
  dropped = 0;
  duplicates = 0;
  /** Events in flight that were left to the partition's next owner. */
  abandoned = 0;
  commits = 0;
  commitFailures = 0;
  flushFailures = 0;
  assigned = 0;
  revoked = 0;
  lost = 0;
  /** Times that a partition's log was found truncated: its offsets went backwards. */
  logTruncations = 0;
  /** Times that the topic was found to be another one with the same name. */
  topicRecreations = 0;
  /** One try of the handler. */
  readonly handleTime = new DurationHistogram(BOUNDS);
  /** From receipt by the producer's API (the record's timestamp) until handled. */
  readonly delay = new DurationHistogram(BOUNDS);
}
