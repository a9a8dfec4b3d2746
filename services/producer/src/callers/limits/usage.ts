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

/** Counts usage in memory, and hands it to a store from time to time. */
export class DailyUsage {
  readonly #store: UsageStore | undefined;
  readonly #usages = new Map<string, Usage>();
  /** Not in the store yet. */
  readonly #pending = new Map<string, Usage>();
  /** What the store has of today is in the usages. */
  #isLoaded = false;
  #isOpen = false;
  #day: number;
  #dayStartMs: number;

  /** @param store without one, usage is in memory alone */
  constructor(nowMs: number, store?: UsageStore) {
    this.#store = store;
    this.#day = dayOf(nowMs);
    this.#dayStartMs = this.#day * DAY_MS;
  }

  /** Reads the store, when that has not been done: only where a caller has a quota. */
  open(): void {
    this.#isOpen = true;
    this.#load();
  }

  /** The caller's usage: one object for as long as this exists. */
  of(caller: string): Usage {
    let usage = this.#usages.get(caller);
    if (usage === undefined) {
      usage = { events: 0, bytes: 0 };
      this.#usages.set(caller, usage);
    }
    return usage;
  }

  /** By caller: those that were ever asked for, and those in the store. */
  get all(): ReadonlyMap<string, Readonly<Usage>> {
    return this.#usages;
  }

  /** Begins another day when the clock says so. A clock that was set back returns to what was used on that day. */
  roll(nowMs: number): void {
    const sinceMs = nowMs - this.#dayStartMs;
    if (sinceMs >= 0 && sinceMs < DAY_MS) return;
    this.flush();
    // What the store could not take of a day that is over limits nobody any more.
    this.#pending.clear();
    this.#isLoaded = false;
    this.#day = dayOf(nowMs);
    this.#dayStartMs = this.#day * DAY_MS;
    for (const usage of this.#usages.values()) {
      usage.events = 0;
      usage.bytes = 0;
    }
    if (this.#isOpen) this.#load();
  }

  msUntilTomorrow(nowMs: number): number {
    return this.#dayStartMs + DAY_MS - nowMs;
  }

  /** Counts what a caller uses. */
  add(caller: string, events: number, bytes: number): void {
    this.#add(caller, events, bytes);
  }

  /** Takes back what `add` counted, except what it counted yesterday. */
  subtract(caller: string, events: number, bytes: number): void {
    const usage = this.of(caller);
    this.#add(caller, -Math.min(events, usage.events), -Math.min(bytes, usage.bytes));
  }

  /** Takes over what another process counted. */
  set(caller: string, used: Readonly<Usage>): void {
    Object.assign(this.of(caller), used);
  }

  /** Brings this and the store to the same state. What the store can't take now, the next call hands to it. */
  flush(): void {
    if (this.#store === undefined || !this.#isOpen || !this.#load() || this.#pending.size === 0) return;
    if (this.#store.add(this.#day, this.#pending)) this.#pending.clear();
  }

  #add(caller: string, events: number, bytes: number): void {
    addTo(this.of(caller), events, bytes);
    if (this.#store === undefined) return;
    const pending = this.#pending.get(caller);
    if (pending === undefined) this.#pending.set(caller, { events, bytes });
    else addTo(pending, events, bytes);
  }

  #load(): boolean {
    if (this.#isLoaded) return true;
    const stored = this.#store?.load(this.#day);
    if (stored === undefined) return false;
    for (const [caller, { events, bytes }] of stored) addTo(this.of(caller), events, bytes);
    this.#isLoaded = true;
    return true;
  }
}

function addTo(usage: Usage, events: number, bytes: number): void {
  usage.events += events;
  usage.bytes += bytes;
}
