// Detects stalls: there is work and no progress, a state that reports no error and that only a restart resolves.

/** One stage of processing a `T` that can stall by itself. */
export interface Stage<T> {
  /** Whether there is anything to do right now. */
  hasWork(of: T): boolean;
  /** A number that changes with any progress. */
  progress(of: T): number;
}

export interface StallOptions<T> {
  timeoutMs: number;
  /** The current items. Each is watched by itself, so that progress of one doesn't hide the stall of another. */
  all(): Iterable<T>;
  stages: readonly Stage<T>[];
  now?(): number;
}

/** When an item was last seen idle or making progress. */
interface LastGood {
  at: number;
  progress: number;
}

export class StallWatch<T extends object> {
  readonly #options: StallOptions<T>;
  readonly #now: () => number;
  readonly #lastGood: ReadonlyMap<Stage<T>, WeakMap<T, LastGood>>;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: StallOptions<T>) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#lastGood = new Map(options.stages.map((stage) => [stage, new WeakMap()]));
  }

  /** Checks once a second, so that idleness and progress between two health probes are noticed. */
  start(): void {
    this.#timer = setInterval(() => this.stalledForMs(), 1_000);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The longest time that any item has had work without progress, ms; 0 when there is no such item. */
  stalledForMs(): number {
    const now = this.#now();
    let longest = 0;
    for (const item of this.#options.all())
      for (const stage of this.#options.stages)
        longest = Math.max(longest, now - this.#lastGoodAt(item, stage, now));
    return longest;
  }

  get isStalled(): boolean {
    return this.stalledForMs() > this.#options.timeoutMs;
  }

  #lastGoodAt(item: T, stage: Stage<T>, now: number): number {
    const lastGood = this.#lastGood.get(stage)!;
    const progress = stage.progress(item);
    const last = lastGood.get(item);
    if (last !== undefined && last.progress === progress && stage.hasWork(item)) return last.at;
    lastGood.set(item, { at: now, progress });
    return now;
  }
}
