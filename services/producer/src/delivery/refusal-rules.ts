// Why an event can't be taken now, for each durability.

import type { DeliveryCore } from "./core.ts";
import type { Refusal, RefusalCode } from "./types.ts";

export class RefusalRules {
  readonly #core: DeliveryCore;

  constructor(core: DeliveryCore) {
    this.#core = core;
  }

  /** Why the service isn't ready. */
  whenNotReady(): RefusalCode | undefined {
    const { journal, client, isDirect } = this.#core;
    if (!isDirect) return this.whenSpooling();
    if (journal?.isDetached) return "journal_unavailable";
    if (client.sink.connected) return undefined;
    return journal ? journal.refusal : "kafka_unavailable";
  }

  /** Why no event can be taken, while events can't go straight to the client. */
  whenSpooling(): RefusalCode | undefined {
    const { isRunning, isResending, resends, journal, queueRefusal } = this.#core;
    if (!isRunning) return "shutting_down";
    if (isResending && resends.hasRoom) return undefined;
    return journal ? journal.refusal : queueRefusal;
  }

  /** Why no event can be `durable`. */
  forDurable(): RefusalCode | undefined {
    const { isRunning, journal } = this.#core;
    if (!isRunning) return "shutting_down";
    return journal ? journal.refusal : "journal_unavailable";
  }

  /** For a `stored` event that would have to wait: names the setting that older events wait for. */
  refuseStored(): Refusal {
    const { isRunning, hasBacklog, failing, refusals, client, queueRefusal } = this.#core;
    if (!isRunning) return refusals.refuse("shutting_down");
    if (failing?.fault === "setting") return refusals.refuseFor(failing);
    return refusals.refuse(hasBacklog && client.sink.connected ? "events_waiting" : queueRefusal);
  }
}
