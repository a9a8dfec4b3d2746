// From "handled" to "may be committed": the handler's flush, the log's, then what once-only handling remembers.
import type { Log } from "@ingest/service";
import { type BackoffSettings, backoffMs, pause } from "@ingest/wait";
import type { Counters } from "../counters.ts";
import type { EventHandler } from "../handler.ts";
import type { SeenEvents } from "../once/seen-events.ts";
import type { LineWriter } from "../output/line-writer.ts";
import type { PartitionWork } from "./partition-work.ts";

export interface SettlingOptions {
  handler: EventHandler;
  /** Where the log's lines go, so that they don't pile up where nobody reads them. Undefined: that doesn't matter. */
  output?: Pick<LineWriter, "flush">;
  seen: SeenEvents | undefined;
  backoff: BackoffSettings;
  counters: Counters;
  log: Log;
}

export class Settling {
  readonly #options: SettlingOptions;
  readonly #stop = new AbortController();
  #last: Promise<void> = Promise.resolve();
  /** What waits for its turn: whoever comes meanwhile joins it. */
  #next: { works: Set<PartitionWork>; settled: Promise<void> } | undefined;

  constructor(options: SettlingOptions) {
    this.#options = options;
  }

  /**
   * Moves each partition's `settled` up to where its handled records stand when its turn comes. One at a time, and one
   * waiting. Resolves when it is done, which takes as long as the flush fails, or when `abandon` was called.
   */
  settle(works: Iterable<PartitionWork>): Promise<void> {
    const { handler, seen, output } = this.#options;
    if (handler.flush === undefined && seen === undefined && output === undefined) {
      for (const work of works) work.settle(work.progress());
      return this.#last;
    }
    this.#next ??= this.#enqueue();
    for (const work of works) this.#next.works.add(work);
    return this.#next.settled;
  }

  /** Gives up what fails: its offsets stay where they are. */
  abandon(): void {
    this.#stop.abort();
  }

  #enqueue() {
    const works = new Set<PartitionWork>();
    this.#last = this.#last.then(() => {
      this.#next = undefined;
      return this.#settleNow([...works]);
    });
    return { works, settled: this.#last };
  }

  async #settleNow(works: readonly PartitionWork[]): Promise<void> {
    const { handler, seen, output } = this.#options;
    const progress = works.map((work) => work.progress());
    const handled = seen?.takeHandled() ?? [];
    if (!(await this.#untilDone("handler's flush failed", () => handler.flush?.()))) return;
    if (!(await this.#untilDone("lines not written", () => output?.flush()))) return;
    if (!(await this.#untilDone("seen events not written", () => seen?.remember(handled)))) return;
    for (const [i, work] of works.entries()) work.settle(progress[i]!);
  }

  /** @returns false when given up */
  async #untilDone(message: string, act: () => Promise<void> | void | undefined): Promise<boolean> {
    for (let failures = 1; ; failures++) {
      try {
        await act();
        return true;
      } catch (error) {
        this.#options.counters.flushFailures++;
        const pauseMs = backoffMs(failures, this.#options.backoff);
        this.#options.log.error({ error, retry_in_ms: Math.round(pauseMs) }, message);
        if (!(await pause(pauseMs, this.#stop.signal))) return false;
      }
    }
  }
}
