// Who waits for the outcome of which record: the client carries a slot, and the slot the caller's context.
// Slots are used again, so a record in flight costs no allocation here, and what never got an outcome can be told.

/** One record in flight. It is what the client keeps as its opaque value. */
export interface Slot {
  topic: string;
  context: unknown;
  /** Place in the list of those in flight; -1 when free. */
  index: number;
}

export class PendingRecords {
  #inFlight: Slot[] = [];
  #free: Slot[] = [];

  get size(): number {
    return this.#inFlight.length;
  }

  take(topic: string, context: unknown): Slot {
    const slot = this.#free.pop() ?? { topic, context, index: -1 };
    slot.topic = topic;
    slot.context = context;
    slot.index = this.#inFlight.push(slot) - 1;
    return slot;
  }

  /** Frees a slot. @returns its context */
  release(slot: Slot): unknown {
    const { context, index } = slot;
    const last = this.#inFlight.pop()!;
    // The last one moves into the gap: order isn't kept, only membership.
    if (last !== slot) {
      this.#inFlight[index] = last;
      last.index = index;
    }
    slot.index = -1;
    slot.context = undefined;
    this.#free.push(slot);
    return context;
  }

  /** Takes out everything in flight. The slots are not used again: the client may still hold them. */
  drain(): { topic: string; context: unknown }[] {
    const drained = this.#inFlight.map(({ topic, context }) => ({ topic, context }));
    for (const slot of this.#inFlight) slot.context = undefined;
    this.#inFlight = [];
    return drained;
  }
}
