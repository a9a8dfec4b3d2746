// Order inside a partition: work of one key one after the other, of different keys side by side up to a limit.

/** What is done with an item. Returning nothing means done; it must not throw, and its promise must not reject. */
export type Work<T> = (item: T) => Promise<void> | undefined;

/** Items without a key have no order to keep, unless only one item at all may be worked on. */
type Key = string | null;

export class Lanes<T> {
  readonly #work: Work<T>;
  readonly #limit: number;
  /** Waiting, by key. */
  readonly #waiting = new Map<Key, T[]>();
  /** Keys with something that waits and may start, in the order in which they became so. */
  readonly #ready = new Set<Key>();
  readonly #runningKeys = new Set<Key>();
  #running = 0;
  #queued = 0;
  #whenIdle: (() => void)[] = [];

  /** @param limit how many items may be worked on at once; with 1 everything keeps its order */
  constructor(limit: number, work: Work<T>) {
    this.#limit = limit;
    this.#work = work;
  }

  get running(): number {
    return this.#running;
  }

  /** Taken and not started. */
  get queued(): number {
    return this.#queued;
  }

  push(key: Key, item: T): void {
    const lane = this.#limit === 1 ? null : key;
    if (this.#running < this.#limit && this.#ready.size === 0 && !this.#isBlocked(lane))
      this.#start(lane, item);
    else this.#enqueue(lane, item);
  }

  /** Forgets what has not started. @returns what was forgotten */
  clear(): T[] {
    const forgotten = [...this.#waiting.values()].flat();
    this.#queued = 0;
    this.#waiting.clear();
    this.#ready.clear();
    if (this.#running === 0) this.#tellIdle();
    return forgotten;
  }

  /** Resolves when nothing runs and nothing waits. */
  idle(): Promise<void> {
    if (this.#running === 0 && this.#queued === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Must an item of this lane wait for another of it? */
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
    const outcome = this.#work(item);
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
    if (this.#running === 0 && this.#queued === 0) this.#tellIdle();
  }

  #startReady(): void {
    for (const lane of this.#ready) {
      // A lane goes on as long as its items are done at once, or need no order among themselves.
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

  #tellIdle(): void {
    const waiting = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of waiting) resolve();
  }
}
