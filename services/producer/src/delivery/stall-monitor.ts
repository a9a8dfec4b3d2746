// Acts on what the watchdog finds: events go to the journal while no broker is connected, and the client is recreated when
// nothing makes progress.

import type { DeliveryCore } from "./core.ts";

export class StallMonitor {
  readonly #core: DeliveryCore;

  constructor(core: DeliveryCore) {
    this.#core = core;
  }

  check(nowMs: number): void {
    const core = this.#core;
    const { sink, inFlight } = core.client;
    // Nothing is expected to make progress: another client could not send it either.
    if (core.isHeld && inFlight.count === 0) core.watchdog.reset();
    const { isUnavailable, stalledMs } = core.watchdog.check(nowMs, {
      connected: sink.connected,
      inFlight: inFlight.count,
      oldestTicket: inFlight.oldestTicket,
      hasBacklog: core.hasBacklog,
    });
    if (isUnavailable && !core.isSpooling && core.journal) core.startSpooling({ type: "blocked" });
    if (stalledMs !== undefined) this.#onStalled(stalledMs);
  }

  /** The oldest event in flight, or the backlog, has made no progress for too long. */
  #onStalled(stalledMs: number): void {
    const core = this.#core;
    const { sink, inFlight, isProbing } = core.client;
    if (sink.connected) {
      core.log.error(
        { stalledMs: Math.round(stalledMs), inFlight: inFlight.count },
        "delivery stalled while connected to a broker: recreating the Kafka client",
      );
    } else if (!core.journal || inFlight.count === 0 || isProbing) {
      // The client reconnects by itself, and its events would be no safer elsewhere.
      return;
    }
    core.reclaim({ isRecreated: true, isStalled: true });
  }
}
