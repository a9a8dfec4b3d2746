// One write and one fsync for everything that was appended in the last few milliseconds.

export interface GroupCommitTarget {
  /** Hands what was appended to the operating system. False when that failed. */
  flush(): boolean;
  /** Puts what was flushed on the disk. False when that failed. */
  sync(): Promise<boolean>;
}

export interface GroupCommitOptions {
  /** How long appends are collected, ms. 0: as long as the fsync before them runs, and to the end of the turn. */
  intervalMs: number;
  /** How long appends that nobody waits for may stay with the operating system alone, ms. */
  lazySyncMs: number;
}

export class GroupCommit {
  readonly #target: GroupCommitTarget;
  readonly #options: GroupCommitOptions;
  #waiting: PromiseWithResolvers<boolean> | undefined;
  #cancel: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #hasNews = false;
  #lastSync = performance.now();

  constructor(target: GroupCommitTarget, options: GroupCommitOptions) {
    this.#target = target;
    this.#options = options;
  }

  /** Something was appended that nobody waits for: it is flushed within the interval, synced within `lazySyncMs`. */
  note(): void {
    this.#hasNews = true;
    this.#arm();
  }

  /** Resolves once everything appended so far is on the disk; false when it couldn't be put there. One promise a group. */
  request(): Promise<boolean> {
    this.#waiting ??= Promise.withResolvers<boolean>();
    this.#arm();
    return this.#waiting.promise;
  }

  /** Commits at once and leaves no timer behind. */
  async close(): Promise<boolean> {
    while (this.#running) await this.#running;
    const done = this.request();
    this.#cancel?.();
    this.#start();
    return done;
  }

  #arm(): void {
    if (this.#cancel !== undefined || this.#running) return;
    const start = () => this.#start();
    if (this.#options.intervalMs > 0) {
      const timer = setTimeout(start, this.#options.intervalMs);
      this.#cancel = () => clearTimeout(timer);
    } else {
      const turn = setImmediate(start);
      this.#cancel = () => clearImmediate(turn);
    }
  }

  #start(): void {
    this.#cancel = undefined;
    const group = this.#takeWaiting();
    this.#hasNews = false;
    const isFlushed = this.#target.flush();
    const isSyncDue = group !== undefined || performance.now() - this.#lastSync >= this.#options.lazySyncMs;
    if (!isFlushed || !isSyncDue) {
      this.#finish(group, isFlushed);
      return;
    }
    this.#running = this.#target.sync().then((isKept) => {
      this.#running = undefined;
      this.#lastSync = performance.now();
      // What was appended meanwhile may be among what this fsync lost: the next one wouldn't tell.
      if (!isKept) this.#takeWaiting()?.resolve(false);
      this.#finish(group, isKept);
    });
  }

  #finish(group: PromiseWithResolvers<boolean> | undefined, isKept: boolean): void {
    // The disk is free: what waits for it goes there before the answers to this group take their time.
    if (this.#waiting && this.#options.intervalMs === 0) this.#start();
    else if (this.#waiting || this.#hasNews) this.#arm();
    group?.resolve(isKept);
  }

  #takeWaiting(): PromiseWithResolvers<boolean> | undefined {
    const group = this.#waiting;
    this.#waiting = undefined;
    return group;
  }
}
