// Events handed to the client whose outcome is pending, in the order of sending.
// A ring buffer over consecutive tickets: an event costs one slot and no object, and the oldest one is always known.

export class InFlightTable<T extends object> {
  #slots: (T | undefined)[];
  #mask: number;
  #head = 0;
  #next = 0;
  #count = 0;

  /** @param capacity initial size, a power of two */
  constructor(capacity = 1024) {
    this.#slots = new Array(capacity).fill(undefined);
    this.#mask = capacity - 1;
  }

  get count(): number {
    return this.#count;
  }

  /** The ticket of the next `add`. */
  get nextTicket(): number {
    return this.#next;
  }

  /** The oldest ticket without outcome; `nextTicket` when there is none. */
  get oldestTicket(): number {
    return this.#head;
  }

  add(entry: T): void {
    if (this.#next - this.#head > this.#mask) this.#grow();
    this.#slots[this.#next & this.#mask] = entry;
    this.#next++;
    this.#count++;
  }

  get(ticket: number): T | undefined {
    return ticket >= this.#head && ticket < this.#next ? this.#slots[ticket & this.#mask] : undefined;
  }

  /** Removes an entry and returns it; undefined when it was removed before. */
  remove(ticket: number): T | undefined {
    const entry = this.get(ticket);
    if (entry === undefined) return undefined;
    this.#slots[ticket & this.#mask] = undefined;
    this.#count--;
    if (ticket === this.#head) {
      do this.#head++;
      while (this.#head < this.#next && this.#slots[this.#head & this.#mask] === undefined);
    }
    return entry;
  }

  /** Replaces the entry of a ticket that is in flight. */
  replace(ticket: number, entry: T): void {
    if (this.get(ticket) !== undefined) this.#slots[ticket & this.#mask] = entry;
  }

  /** Tickets and entries, oldest first. Entries may be removed or replaced during the iteration. */
  *entries(): Generator<[ticket: number, entry: T]> {
    for (let ticket = this.#head; ticket < this.#next; ticket++) {
      const entry = this.get(ticket);
      if (entry !== undefined) yield [ticket, entry];
    }
  }

  /** The oldest entry. */
  oldest(): T | undefined {
    return this.get(this.#head);
  }

  #grow(): void {
    const size = this.#slots.length * 2;
    const slots = new Array<T | undefined>(size).fill(undefined);
    for (let ticket = this.#head; ticket < this.#next; ticket++)
      slots[ticket & (size - 1)] = this.#slots[ticket & this.#mask];
    this.#slots = slots;
    this.#mask = size - 1;
  }
}
