// What each caller has sent, as plain numbers: the hot path adds, a scrape reads.

/** Counters of one caller: they only grow. */
export interface CallerCounts {
  /** Responses by status. */
  readonly requests: Record<number, number>;
  /** Events by result. */
  readonly events: Record<string, number>;
}

export function createCallerCounts(): CallerCounts {
  return { requests: {}, events: {} };
}

export function increment(counts: Record<string | number, number>, name: string | number): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
