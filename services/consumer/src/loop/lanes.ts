// Order inside a partition: items with the same key run one after the other, different keys run concurrently up to a limit.

/** Processes one item. `undefined` means finished. It must not throw, and its promise must not reject. */
export type Process<T> = (item: T) => Promise<void> | undefined;

/** Items without a key (null) have no order, unless the limit is 1. */
type Key = string | null;

export class Lanes<T> {
  readonly #process: Process<T>;
  readonly #limit: number;
  /** Items that have not started, by key. */
  readonly #waiting = new Map<Key, T[]>();
  /** Keys whose next item may start, first in, first out. */
  readonly #ready = new Set<Key>();
  readonly #runningKeys = new Set<Key>();
  #running = 0;
  #queued = 0;
  #whenIdle: (() => void)[] = [];

  /** @param limit items processed concurrently; with 1, all items keep their order */
  constructor(limit: number, process: Process<T>) {
    this.#limit = limit;
    this.#process = process;
  }

  get running(): number {
    return this.#running;
  }

  /** Items that have not started. */
  get queued(): number {
    return this.#queued;
  }

  push(key: Key, item: T): void {
    const lane = this.#limit === 1 ? null : key;
    if (this.#running < this.#limit && this.#ready.size === 0 && !this.#isBlocked(lane))
      this.#start(lane, item);
    else this.#enqueue(lane, item);
  }

  /** Removes the items that have not started. @returns them */
  clear(): T[] {
    const removed = [...this.#waiting.values()].flat();
    this.#queued = 0;
    this.#waiting.clear();
    this.#ready.clear();
    if (this.#running === 0) this.#resolveIdle();
    return removed;
  }

  /** Resolves when no item runs or waits. */
  idle(): Promise<void> {
    if (this.#running === 0 && this.#queued === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Whether an item of this lane has to wait for an earlier one. */
  #isBlocked(lane: Key): boolean {
    const hasOrder = lane !== null || this.#limit === 1;
    return hasOrder && this.#runningKeys.has(lane);
  }

  #enqueue(lane: Key, item: T): void {
    this.#queued++;
    const items = this.#waiting.get(lane);
    if (items === undefined) this.#waiting.set(lane, [item]);
    else items.push(item);
    if (!this.#isBlocked(lane)) this.#ready.add(lane);
  }

  #start(lane: Key, item: T): void {
    const outcome = this.#process(item);
    if (outcome === undefined) return;
    this.#running++;
    this.#runningKeys.add(lane);
    void outcome.then(() => this.#finished(lane));
  }

  #finished(lane: Key): void {
    this.#running--;
    this.#runningKeys.delete(lane);
    if (this.#waiting.has(lane)) this.#ready.add(lane);
    this.#startReady();
    if (this.#running === 0 && this.#queued === 0) this.#resolveIdle();
  }

  #startReady(): void {
    for (const lane of this.#ready) {
      // Stays on a lane while its items finish synchronously or have no order.
      for (;;) {
        if (this.#running >= this.#limit) return;
        const items = this.#waiting.get(lane)!;
        const item = items.shift()!;
        this.#queued--;
        if (items.length === 0) this.#waiting.delete(lane);
        this.#start(lane, item);
        if (items.length === 0 || this.#isBlocked(lane)) break;
      }
      this.#ready.delete(lane);
    }
  }

  #resolveIdle(): void {
    const waiting = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of waiting) resolve();
  }
}
