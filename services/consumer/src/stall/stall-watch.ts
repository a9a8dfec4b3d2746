// Work to do and none done: the state that only a restart mends, and that no error tells of.

/** One thing that is done with each `T`, and can get stuck by itself. */
export interface Stage<T> {
  /** Is there anything that could be done right now? */
  hasWork(of: T): boolean;
  /** A count of what has been done: any other number than before is progress. */
  done(of: T): number;
}

export interface StallOptions<T> {
  timeoutMs: number;
  /** What there is to watch now: one that gets on hides no other that doesn't. */
  all(): Iterable<T>;
  stages: readonly Stage<T>[];
  now?(): number;
}

/** How far it was when it was last seen idle, or further than before. */
interface Mark {
  at: number;
  done: number;
}

export class StallWatch<T extends object> {
  readonly #options: StallOptions<T>;
  readonly #now: () => number;
  readonly #marks: ReadonlyMap<Stage<T>, WeakMap<T, Mark>>;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: StallOptions<T>) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#marks = new Map(options.stages.map((stage) => [stage, new WeakMap()]));
  }

  /** Looks once a second, for idleness and progress between two probes have to be seen. */
  start(): void {
    this.#timer = setInterval(() => this.stalledForMs(), 1_000);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** How long there has been work without progress, ms, where that is worst; 0 when there is no work. */
  stalledForMs(): number {
    const now = this.#now();
    let worst = 0;
    for (const of of this.#options.all())
      for (const stage of this.#options.stages)
        worst = Math.max(worst, now - this.#lastGoodAt(of, stage, now));
    return worst;
  }

  get isStalled(): boolean {
    return this.stalledForMs() > this.#options.timeoutMs;
  }

  #lastGoodAt(of: T, stage: Stage<T>, now: number): number {
    const marks = this.#marks.get(stage)!;
    const done = stage.done(of);
    const last = marks.get(of);
    if (last !== undefined && last.done === done && stage.hasWork(of)) return last.at;
    marks.set(of, { at: now, done });
    return now;
  }
}
