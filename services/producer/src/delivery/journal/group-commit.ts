// Group commit: one write and one fsync for all records that were appended in the last few milliseconds.

export interface GroupCommitTarget {
  /** Writes appended records to the operating system. False when that failed. */
  flush(): boolean;
  /** Syncs flushed records to disk. False when that failed. */
  sync(): Promise<boolean>;
}

export interface GroupCommitOptions {
  /** How long appends are collected, ms. 0: until the end of the turn of the event loop, and of the fsync in progress. */
  intervalMs: number;
  /** Longest time between fsyncs for appends without a pending commit, ms. */
  lazySyncMs: number;
}

export class GroupCommit {
  readonly #target: GroupCommitTarget;
  readonly #options: GroupCommitOptions;
  #pending: PromiseWithResolvers<boolean> | undefined;
  #cancel: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #hasUnflushed = false;
  #lastSync = performance.now();

  constructor(target: GroupCommitTarget, options: GroupCommitOptions) {
    this.#target = target;
    this.#options = options;
  }

  /** A record was appended: it is flushed within `intervalMs`, and synced within `lazySyncMs`. */
  onAppend(): void {
    this.#hasUnflushed = true;
    this.#arm();
  }

  /** Resolves once all records appended so far are on disk; false when that failed. One promise per group. */
  commit(): Promise<boolean> {
    this.#pending ??= Promise.withResolvers<boolean>();
    this.#arm();
    return this.#pending.promise;
  }

  /** Commits at once and clears the timers. */
  async close(): Promise<boolean> {
    while (this.#running) await this.#running;
    const done = this.commit();
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
    const group = this.#takePending();
    this.#hasUnflushed = false;
    const isFlushed = this.#target.flush();
    const isSyncDue = group !== undefined || performance.now() - this.#lastSync >= this.#options.lazySyncMs;
    if (!isFlushed || !isSyncDue) {
      this.#finish(group, isFlushed);
      return;
    }
    this.#running = this.#target.sync().then((isSynced) => {
      this.#running = undefined;
      this.#lastSync = performance.now();
      // Records appended meanwhile may be among those that this fsync lost; the next fsync would not report that.
      if (!isSynced) this.#takePending()?.resolve(false);
      this.#finish(group, isSynced);
    });
  }

  #finish(group: PromiseWithResolvers<boolean> | undefined, isSynced: boolean): void {
    // The disk is idle: start the next fsync before the responses of this group take CPU time.
    if (this.#pending && this.#options.intervalMs === 0) this.#start();
    else if (this.#pending || this.#hasUnflushed) this.#arm();
    group?.resolve(isSynced);
  }

  #takePending(): PromiseWithResolvers<boolean> | undefined {
    const group = this.#pending;
    this.#pending = undefined;
    return group;
  }
}
