// Events that wait in memory to be sent, in order: those of a client that was refused a batch, and behind them new ones
// until all have been sent.

import Denque from "denque";
import { type InFlightEvent, toRetained } from "./tracked-event.ts";

/** Beyond it, new events go to the journal. */
const MAX_BYTES = 16 * 1024 * 1024;
/** For each event beside its value: so that small events have a bound too. */
const EVENT_BYTES = 256;

export class ResendQueue {
  readonly #events = new Denque<InFlightEvent>();
  #bytes = 0;

  get length(): number {
    return this.#events.length;
  }

  /** Has it room for new events? */
  get hasRoom(): boolean {
    return this.#bytes < MAX_BYTES;
  }

  first(): InFlightEvent | undefined {
    return this.#events.peekFront();
  }

  push(event: InFlightEvent): void {
    this.#events.push(event);
    this.#bytes += bytesOf(event);
  }

  /** Puts events in front of all others, in their order. */
  prepend(events: readonly InFlightEvent[]): void {
    for (const event of events.toReversed()) {
      this.#events.unshift(event);
      this.#bytes += bytesOf(event);
    }
  }

  shift(): void {
    const event = this.#events.shift();
    if (event !== undefined) this.#bytes -= bytesOf(event);
  }

  /** Takes all events out. */
  drain(): InFlightEvent[] {
    const events = this.#events.toArray();
    this.#events.clear();
    this.#bytes = 0;
    return events;
  }

  toArray(): InFlightEvent[] {
    return this.#events.toArray();
  }
}

function bytesOf(event: InFlightEvent): number {
  return toRetained(event).value.length + EVENT_BYTES;
}
