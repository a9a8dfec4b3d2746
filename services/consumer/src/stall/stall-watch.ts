// Work to do and none done: the state that only a restart mends, and that no error tells of.

export interface StallOptions {
  timeoutMs: number;
  /** Is there anything that could be done right now? Kafka being away is no stall: a restart wouldn't bring it back. */
  hasWork(): boolean;
  /** When anything was last done, from `now`. */
  lastProgressAt(): number;
  now?(): number;
}

export class StallWatch {
  readonly #options: StallOptions;
  readonly #now: () => number;
  #idleAt: number;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: StallOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#idleAt = this.#now();
  }

  /** Looks once a second, for idleness between two probes has to be seen. */
  start(): void {
    this.#timer = setInterval(() => this.stalledForMs(), 1_000);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** How long there has been work without progress, ms; 0 when there is no work. */
  stalledForMs(): number {
    const now = this.#now();
    if (!this.#options.hasWork()) this.#idleAt = now;
    return Math.max(now - Math.max(this.#idleAt, this.#options.lastProgressAt()), 0);
  }

  get isStalled(): boolean {
    return this.stalledForMs() > this.#options.timeoutMs;
  }
}
