// Deliveries fail by the thousand: each is counted, and a line a second says how many and why.

import type { KafkaError } from "@ingest/kafka";
import type { Log } from "@ingest/service";

const INTERVAL_MS = 1_000;

export class FailureLog {
  /** Failed deliveries by the client's error code, since the start. */
  readonly counts: Record<string, number> = {};

  readonly #log: Log;
  readonly #unsaid = new Map<string, { count: number; reason: string; isRetried: boolean }>();
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(log: Log) {
    this.#log = log;
  }

  /** @param isRetried the event is kept and sent again */
  note(error: KafkaError, isRetried: boolean): void {
    this.counts[error.code] = (this.counts[error.code] ?? 0) + 1;
    const entry = this.#unsaid.get(error.code);
    if (entry) entry.count++;
    else this.#unsaid.set(error.code, { count: 1, reason: error.message, isRetried });
  }

  /** Says what has gathered, when it is time. */
  say(nowMs: number, isLast = false): void {
    if (this.#unsaid.size === 0 || (!isLast && nowMs - this.#lastMs < INTERVAL_MS)) return;
    this.#lastMs = nowMs;
    for (const [code, { count, reason, isRetried }] of this.#unsaid) {
      if (isRetried) this.#log.warn({ code, count, reason }, "deliveries failed: to be sent again");
      else this.#log.error({ code, count, reason }, "deliveries failed");
    }
    this.#unsaid.clear();
  }
}
