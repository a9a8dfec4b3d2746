// Notices that nothing gets to Kafka: no broker can be reached, or the oldest event in flight stays without outcome.

/** What can be seen from outside of a client. */
export interface Observation {
  /** The client has a broker. */
  connected: boolean;
  /** Events without outcome, and the ticket of the oldest. */
  inFlight: number;
  oldestTicket: number;
  /** Something waits that the client hasn't taken. */
  isWaiting: boolean;
}

export interface Verdict {
  /** No broker for so long that what comes next is safer in the journal than in the client's memory. */
  isAway: boolean;
  /** How long nothing has moved, where that is too long, ms. */
  stalledMs?: number;
}

const AWAY_MS = 1_000;
/** A client that delivers nothing is made anew ever less often, up to this many times the stall time apart. */
const MAX_BACKOFF = 8;

export class Watchdog {
  readonly #stallMs: number;
  #awaySinceMs: number | undefined;
  #oldest: { ticket: number; sinceMs: number } | undefined;
  #backoff = 1;

  constructor(stallMs: number) {
    this.#stallMs = stallMs;
  }

  look(nowMs: number, { connected, inFlight, oldestTicket, isWaiting }: Observation): Verdict {
    if (connected) this.#awaySinceMs = undefined;
    else this.#awaySinceMs ??= nowMs;
    const isAway = this.#awaySinceMs !== undefined && nowMs - this.#awaySinceMs >= AWAY_MS;

    const isIdle = inFlight === 0 && !isWaiting;
    if (isIdle || this.#oldest?.ticket !== oldestTicket) {
      if (this.#oldest && oldestTicket > this.#oldest.ticket) this.#backoff = 1;
      this.#oldest = { ticket: oldestTicket, sinceMs: nowMs };
      return { isAway };
    }
    const stalledMs = nowMs - this.#oldest.sinceMs;
    return stalledMs < this.#stallMs * this.#backoff ? { isAway } : { isAway, stalledMs };
  }

  /** The client was given up although it had a broker: the next one has more time. */
  backOff(): void {
    this.#backoff = Math.min(this.#backoff * 2, MAX_BACKOFF);
  }

  /** What was in flight was taken back: its tickets mean nothing any more. */
  reset(): void {
    this.#oldest = undefined;
  }
}
