// What becomes of an event that is not sent again: its caller is told, or it goes to the file of rejected events.

import type { KafkaError } from "@ingest/kafka";
import type { DeliveryCore } from "./core.ts";
import { positionOf } from "./reclaim.ts";
import type { RejectedEvents } from "./rejected-events.ts";
import { type InFlightEvent, receivedMs, TrackedEvent, toRetained } from "./tracked-event.ts";
import { UNKNOWN } from "./types.ts";

export class Quarantine {
  readonly #core: DeliveryCore;
  readonly #rejected: RejectedEvents | undefined;

  /** @param rejected the file; absent without a journal */
  constructor(core: DeliveryCore, rejected: RejectedEvents | undefined) {
    this.#core = core;
    this.#rejected = rejected;
  }

  /** Rejected events can be written now. */
  get isIdle(): boolean {
    return this.#rejected?.isIdle ?? false;
  }

  /** Number of events in the file. */
  get count(): number {
    return this.#rejected?.count ?? 0;
  }

  /** The event failed for good, or can't be sent again. */
  abandon(entry: InFlightEvent, error: KafkaError): void {
    const core = this.#core;
    if (entry instanceof TrackedEvent && entry.isStored)
      entry.settle(isUndecided(error) ? UNKNOWN : core.refusals.refuseFor(error));
    else if (core.journal && this.#rejected) this.#write(entry, error, this.#rejected);
    else core.counts.lost++;
  }

  async close(): Promise<void> {
    await this.#rejected?.close();
  }

  /** The journal keeps the event until it is on disk in the file. */
  #write(entry: InFlightEvent, error: KafkaError, rejected: RejectedEvents): void {
    const core = this.#core;
    const journal = core.journal!;
    const event = toRetained(entry);
    const position = positionOf(entry) ?? journal.appendReclaimed(event, receivedMs(event));
    if (rejected.add(event, error, () => journal.acknowledge(position))) {
      journal.hold(position);
      return;
    }
    core.startSpooling({ type: "skipped" }, "rejected events can't be written");
  }
}

/** May the record have been stored in spite of the error? */
function isUndecided({ isFatal, fault }: KafkaError): boolean {
  return isFatal || fault === "time";
}
