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

export class Watchdog {
  readonly #stallMs: number;
  #awaySinceMs: number | undefined;
  #oldest: { ticket: number; sinceMs: number } | undefined;

  constructor(stallMs: number) {
    this.#stallMs = stallMs;
  }

  look(nowMs: number, { connected, inFlight, oldestTicket, isWaiting }: Observation): Verdict {
    if (connected) this.#awaySinceMs = undefined;
    else this.#awaySinceMs ??= nowMs;
    const isAway = this.#awaySinceMs !== undefined && nowMs - this.#awaySinceMs >= AWAY_MS;

    const isIdle = inFlight === 0 && !isWaiting;
    if (isIdle || this.#oldest?.ticket !== oldestTicket) {
      this.#oldest = { ticket: oldestTicket, sinceMs: nowMs };
      return { isAway };
    }
    const stalledMs = nowMs - this.#oldest.sinceMs;
    return stalledMs < this.#stallMs ? { isAway } : { isAway, stalledMs };
  }

  /** What was in flight was taken back: its tickets mean nothing any more. */
  reset(): void {
    this.#oldest = undefined;
  }
}
