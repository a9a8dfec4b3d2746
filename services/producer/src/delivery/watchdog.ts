// Detects that nothing reaches Kafka: no broker is connected, or the oldest event in flight makes no progress.

/** The state of a client, as seen from outside. */
export interface ClientState {
  /** The client is connected to a broker. */
  connected: boolean;
  /** Number of events whose outcome is pending, and the ticket of the oldest. */
  inFlight: number;
  oldestTicket: number;
  /** Events are waiting to be handed to the client. */
  hasBacklog: boolean;
}

export interface Verdict {
  /** No broker for so long that new events are safer in the journal than in the client's memory. */
  isUnavailable: boolean;
  /** How long there has been no progress, ms. Set only when that is longer than the limit. */
  stalledMs?: number;
}

const UNAVAILABLE_AFTER_MS = 1_000;

export class Watchdog {
  readonly #stallMs: number;
  #disconnectedSinceMs: number | undefined;
  #oldest: { ticket: number; sinceMs: number } | undefined;

  /** @param stallMs the longest time without progress that is normal */
  constructor(stallMs: number) {
    this.#stallMs = stallMs;
  }

  check(nowMs: number, { connected, inFlight, oldestTicket, hasBacklog }: ClientState): Verdict {
    if (connected) this.#disconnectedSinceMs = undefined;
    else this.#disconnectedSinceMs ??= nowMs;
    const isUnavailable =
      this.#disconnectedSinceMs !== undefined && nowMs - this.#disconnectedSinceMs >= UNAVAILABLE_AFTER_MS;

    const isIdle = inFlight === 0 && !hasBacklog;
    if (isIdle || this.#oldest?.ticket !== oldestTicket) {
      this.#oldest = { ticket: oldestTicket, sinceMs: nowMs };
      return { isUnavailable };
    }
    const stalledMs = nowMs - this.#oldest.sinceMs;
    return stalledMs < this.#stallMs ? { isUnavailable } : { isUnavailable, stalledMs };
  }

  /** The events in flight were reclaimed: the tickets seen so far have no meaning any more. */
  reset(): void {
    this.#oldest = undefined;
  }
}
