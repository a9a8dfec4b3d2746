// Deliveries fail by the thousand: each is counted, and at most one log line a second per error code reports them.

import type { KafkaError } from "@ingest/kafka";
import type { Log } from "@ingest/service";

const INTERVAL_MS = 1_000;

export class FailureLog {
  /** Failed deliveries since the start, by the client's error code. */
  readonly counts: Record<string, number> = {};

  readonly #log: Log;
  readonly #unlogged = new Map<string, { count: number; reason: string; isRetried: boolean }>();
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(log: Log) {
    this.#log = log;
  }

  /** @param isRetried the event is kept and sent again */
  add(error: KafkaError, isRetried: boolean): void {
    this.counts[error.code] = (this.counts[error.code] ?? 0) + 1;
    const entry = this.#unlogged.get(error.code);
    if (entry) entry.count++;
    else this.#unlogged.set(error.code, { count: 1, reason: error.message, isRetried });
  }

  /** Logs the failures since the last line, when the interval has passed or `isLast`. */
  flush(nowMs: number, isLast = false): void {
    if (this.#unlogged.size === 0 || (!isLast && nowMs - this.#lastMs < INTERVAL_MS)) return;
    this.#lastMs = nowMs;
    for (const [code, { count, reason, isRetried }] of this.#unlogged) {
      if (isRetried) this.#log.warn({ code, count, reason }, "deliveries failed: retrying");
      else this.#log.error({ code, count, reason }, "deliveries failed");
    }
    this.#unlogged.clear();
  }
}
