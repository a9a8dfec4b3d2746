// Refusals: one shared object for each code, counted each time it is returned.

import type { Refusal, RefusalCode } from "./types.ts";

/** When a retry can succeed, in seconds; undefined where a retry cannot help. */
const retryAfterSeconds: Record<RefusalCode, number | undefined> = {
  queue_full: 1,
  kafka_unavailable: 2,
  journal_full: 5,
  journal_unavailable: 5,
  shutting_down: 1,
  too_large: undefined,
};

const refusals = Object.fromEntries(
  Object.entries(retryAfterSeconds).map(([code, seconds]) => [
    code,
    Object.freeze({
      status: "refused",
      code,
      ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }),
    }),
  ]),
) as Record<RefusalCode, Refusal>;

export class RefusalCounter {
  readonly counts: Partial<Record<RefusalCode, number>> = {};

  refuse(code: RefusalCode): Refusal {
    this.counts[code] = (this.counts[code] ?? 0) + 1;
    return refusals[code];
  }
}
