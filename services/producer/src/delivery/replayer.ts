// Sends waiting events, oldest first: those in memory, then those in the journal.

import type { KafkaError } from "@ingest/kafka";
import type { DeliveryCore } from "./core.ts";
import type { Quarantine } from "./quarantine.ts";
import { type InFlightEvent, receivedMs, TrackedEvent, toRetained } from "./tracked-event.ts";

/** Events sent in one turn of the event loop. */
const BURST = 1_000;
const CONNECT_POLL_MS = 10;
/** Pause after a refusal that only an operator can mend, ms. */
export const SETTING_PAUSE_MS = 1_000;

export class Replayer {
  readonly #core: DeliveryCore;
  readonly #quarantine: Quarantine;
  #isScheduled = false;

  constructor(core: DeliveryCore, quarantine: Quarantine) {
    this.#core = core;
    this.#quarantine = quarantine;
  }

  /** Sends in the next turn of the event loop, if there is something to send then. */
  schedule(): void {
    if (this.#isScheduled || !this.#core.isRunning) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#run();
    });
  }

  #run(): void {
    const core = this.#core;
    if (core.state.name === "draining") {
      const { inFlight, failed } = core.client;
      if (inFlight.count > failed && core.now() < core.state.deadlineMs) return;
      this.#resendApart();
    }
    const { state, isHeld } = core;
    if (isHeld) return;
    if (state.name === "resending" || (state.name === "spooling" && state.replay !== "backing_off"))
      this.#replay();
  }

  #resendApart(): void {
    const core = this.#core;
    const { refused } = core.client;
    const guilty = core.resendApart();
    for (const { error } of refused)
      core.failures.add(error, !guilty.some(([, record]) => record.error === error && isFinal(error)));
    for (const [entry, { error }] of guilty) this.#onGuilty(entry, error);
  }

  /** Kafka refuses this event for what is in it, or for a setting. */
  #onGuilty(entry: InFlightEvent, error: KafkaError): void {
    const core = this.#core;
    const isAwaited = entry instanceof TrackedEvent && entry.isStored;
    if (isFinal(error) || core.journal === undefined || isAwaited) {
      this.#quarantine.abandon(entry, error);
      return;
    }
    core.failing = error;
    core.resends.prepend([entry]);
    core.reclaim({ isRecreated: false, pauseMs: SETTING_PAUSE_MS });
  }

  /** As far as the client's queue and the replay window allow. */
  #replay(): void {
    const core = this.#core;
    const { client } = core;
    for (let sent = 0; sent < BURST; sent++) {
      if (!this.#rewindWhenIdle() || client.inFlight.count >= core.window.size) return;
      // While new events wait in memory, the records in the journal are in flight or among them.
      const entry = core.resends.first() ?? (core.isSpooling ? core.journal?.peek() : undefined);
      if (entry === "unreadable") {
        core.apply({ type: "unreadable", nowMs: core.now() });
        return;
      }
      if (entry === undefined) {
        this.#onCaughtUp();
        return;
      }
      if (entry instanceof TrackedEvent && entry.isSettled) {
        this.#advance(entry);
        continue;
      }
      if (!this.#mayJoin(entry)) return;
      try {
        const record = toRetained(entry);
        if (!client.send(record, receivedMs(record))) {
          this.#awaitConnection();
          return;
        }
        client.inFlight.add(entry);
        core.counts.replayed++;
      } catch (thrown) {
        const error = thrown as KafkaError;
        if (error.isFatal) core.onStopped();
        if (error.isFatal || error.fault !== "record") return;
        core.failures.add(error, false);
        this.#quarantine.abandon(entry, error);
      }
      this.#advance(entry);
      // A refusal during the call: the rest waits for the outcomes.
      if (!core.isSpooling && !core.isResending) return;
      if (core.state.name === "draining") return;
    }
    this.schedule();
  }

  /** May the event be sent beside those in flight? */
  #mayJoin(entry: InFlightEvent): boolean {
    const { suspects, client } = this.#core;
    if (suspects.size === 0 || client.inFlight.count === 0) return true;
    return !suspects.has(entry) && !suspects.has(client.inFlight.oldest()!);
  }

  /** Callers may wait for the events that are sent again from memory: the next tick would be late. */
  #awaitConnection(): void {
    const { resends, client } = this.#core;
    if (resends.length > 0 && !client.sink.connected) setTimeout(() => this.schedule(), CONNECT_POLL_MS);
  }

  #advance(entry: InFlightEvent): void {
    if (entry === this.#core.resends.first()) this.#core.resends.shift();
    else this.#core.journal!.advance();
  }

  /** Every waiting event has been sent. */
  #onCaughtUp(): void {
    const core = this.#core;
    const { connected } = core.client.sink;
    const wasSpooling = core.isSpooling;
    core.apply({ type: "caught_up", connected, canQuarantine: this.#quarantine.isIdle });
    if (!wasSpooling) return;
    if (core.isDirect) {
      core.journal?.stopSpooling();
      core.log.info({ replayed: core.counts.replayed }, "spooling ended: events go straight to Kafka");
    } else if (core.state.name === "spooling" && core.state.replay === "rewinding") this.schedule();
  }

  /**
   * While rewinding: returns to the skipped records once nothing is in flight. Returns false until then, and replay
   * pauses: under a steady load something would always be in flight.
   */
  #rewindWhenIdle(): boolean {
    const core = this.#core;
    if (core.state.name !== "spooling" || core.state.replay !== "rewinding") return true;
    if (core.client.inFlight.count > 0) return false;
    core.apply({ type: "idle" });
    core.journal?.rewind();
    return true;
  }
}

/** Is the event refused whenever it is sent? */
function isFinal({ fault }: KafkaError): boolean {
  return fault === "record";
}
