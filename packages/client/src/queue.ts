// The events without a fate, oldest first, bounded in number and bytes.
import type { SavedEvent } from "./types.ts";

export interface QueuedEvent extends SavedEvent {
  /** Of its JSON, in UTF-8. */
  readonly bytes: number;
  /** Unix ms; 0 for an event that a store kept. */
  readonly queuedMs: number;
  isInFlight: boolean;
}

export interface Bounds {
  readonly events: number;
  readonly bytes: number;
}

export class EventQueue {
  #events: QueuedEvent[] = [];
  #bytes = 0;

  constructor(readonly bounds: Bounds) {}

  get length(): number {
    return this.#events.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** All events, oldest first. */
  get events(): readonly QueuedEvent[] {
    return this.#events;
  }

  hasRoom(bytes: number): boolean {
    return this.#events.length < this.bounds.events && this.#bytes + bytes <= this.bounds.bytes;
  }

  add(event: QueuedEvent): void {
    this.#events.push(event);
    this.#bytes += event.bytes;
  }

  /** Adds events that are older than all others. */
  addOldest(events: readonly QueuedEvent[]): void {
    this.#events.unshift(...events);
    for (const { bytes } of events) this.#bytes += bytes;
  }

  /** The oldest event that is not in flight. */
  oldestWaiting(): QueuedEvent | undefined {
    return this.#events.find(({ isInFlight }) => !isInFlight);
  }

  remove(events: ReadonlySet<QueuedEvent>): void {
    this.#events = this.#events.filter((event) => !events.has(event));
    for (const { bytes } of events) this.#bytes -= bytes;
  }

  /**
   * The oldest events that are not in flight, within the limits.
   * @param limits of the batch as a JSON array; its first event may exceed `bytes` when `isOneAllowed`
   */
  next(limits: Bounds, isOneAllowed: boolean): QueuedEvent[] {
    const batch: QueuedEvent[] = [];
    let size = 1;
    for (const event of this.#events) {
      if (event.isInFlight) continue;
      // A bracket or comma goes with each event.
      size += event.bytes + 1;
      if (batch.length === limits.events) break;
      if (size > limits.bytes && !(isOneAllowed && batch.length === 0)) break;
      batch.push(event);
    }
    return batch;
  }
}

export function toBody(batch: readonly QueuedEvent[]): string {
  return `[${batch.map(({ json }) => json).join(",")}]`;
}

/** The size of `toBody(batch)`, bytes. */
export function bodyBytes(batch: readonly QueuedEvent[]): number {
  return batch.reduce((sum, { bytes }) => sum + bytes + 1, 1);
}
