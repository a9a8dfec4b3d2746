// What callers have sent today. A day is one of UTC.

export const DAY_MS = 86_400_000;

/** Of one caller, today. */
export interface Usage {
  events: number;
  bytes: number;
}

/** Keeps what was used on a day. Neither method throws. */
export interface UsageStore {
  /** What each caller used on this day; undefined when that can't be read now. */
  load(day: number): ReadonlyMap<string, Readonly<Usage>> | undefined;
  /** Adds to what callers used on this day. @returns false when that can't be written now */
  add(day: number, used: ReadonlyMap<string, Readonly<Usage>>): boolean;
}

/** Days since 1970-01-01. */
function dayOf(unixMs: number): number {
  return Math.floor(unixMs / DAY_MS);
}

/** What this process counts for a caller, and what of it the store doesn't have yet. */
export class CountedUsage implements Usage {
  events = 0;
  bytes = 0;
  pendingEvents = 0;
  pendingBytes = 0;

  get isPending(): boolean {
    return this.pendingEvents !== 0 || this.pendingBytes !== 0;
  }

  /** Counts what is used; less than 0: what is given back, except what was used yesterday. */
  add(events: number, bytes: number): void {
    const addedEvents = Math.max(events, -this.events);
    const addedBytes = Math.max(bytes, -this.bytes);
    this.events += addedEvents;
    this.bytes += addedBytes;
    this.pendingEvents += addedEvents;
    this.pendingBytes += addedBytes;
  }

  /** Takes over what another process counted. */
  set({ events, bytes }: Readonly<Usage>): void {
    this.events = events;
    this.bytes = bytes;
  }

  clearPending(): void {
    this.pendingEvents = 0;
    this.pendingBytes = 0;
  }
}

/** Counts usage in memory, and hands it to a store from time to time. */
export class DailyUsage {
  readonly #store: UsageStore | undefined;
  readonly #usages = new Map<string, CountedUsage>();
  /** What the store has of today is in the usages. */
  #isLoaded = false;
  #isOpen = false;
  #day: number;
  #dayStartMs: number;
  /** As it was when the day was last compared with it. */
  #nowMs: number;

  /** @param store without one, usage is in memory alone */
  constructor(nowMs: number, store?: UsageStore) {
    this.#store = store;
    this.#day = dayOf(nowMs);
    this.#dayStartMs = this.#day * DAY_MS;
    this.#nowMs = nowMs;
  }

  /** Reads the store, when that has not been done: only where a caller has a quota. */
  open(): void {
    this.#isOpen = true;
    this.#load();
  }

  /** The caller's usage: one object for as long as this exists. */
  of(caller: string): CountedUsage {
    let usage = this.#usages.get(caller);
    if (usage === undefined) {
      usage = new CountedUsage();
      this.#usages.set(caller, usage);
    }
    return usage;
  }

  /** Begins another day when the clock says so. A clock that was set back returns to what was used on that day. */
  roll(nowMs: number): void {
    this.#nowMs = nowMs;
    const sinceMs = nowMs - this.#dayStartMs;
    if (sinceMs >= 0 && sinceMs < DAY_MS) return;
    this.flush();
    this.#isLoaded = false;
    this.#day = dayOf(nowMs);
    this.#dayStartMs = this.#day * DAY_MS;
    for (const usage of this.#usages.values()) {
      usage.set({ events: 0, bytes: 0 });
      // What the store could not take of a day that is over limits nobody any more.
      usage.clearPending();
    }
    if (this.#isOpen) this.#load();
  }

  /** As of the last call of `roll`. */
  get msUntilTomorrow(): number {
    return this.#dayStartMs + DAY_MS - this.#nowMs;
  }

  /** Brings this and the store to the same state. What the store can't take now, the next call hands to it. */
  flush(): void {
    if (this.#store === undefined || !this.#isOpen || !this.#load()) return;
    const pending = [...this.#usages].filter(([, usage]) => usage.isPending);
    if (pending.length === 0) return;
    const used = pending.map(
      ([caller, { pendingEvents, pendingBytes }]) =>
        [caller, { events: pendingEvents, bytes: pendingBytes }] as const,
    );
    if (!this.#store.add(this.#day, new Map(used))) return;
    for (const [, usage] of pending) usage.clearPending();
  }

  #load(): boolean {
    if (this.#isLoaded) return true;
    const stored = this.#store?.load(this.#day);
    if (stored === undefined) return false;
    for (const [caller, { events, bytes }] of stored) {
      const usage = this.of(caller);
      usage.set({ events: usage.events + events, bytes: usage.bytes + bytes });
    }
    this.#isLoaded = true;
    return true;
  }
}
