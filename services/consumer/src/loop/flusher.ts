// Flushes handled events, after which their offsets may be committed: the handler, then the log, then deduplication.
import type { Log } from "@ingest/service";
import { type BackoffSettings, backoffMs, pause } from "@ingest/wait";
import type { Counters } from "../counters.ts";
import type { SeenEvents } from "../deduplication/seen-events.ts";
import type { EventHandler, HandledPosition } from "../handler.ts";
import type { LineWriter } from "../output/line-writer.ts";
import type { PartitionTask } from "./partition-task.ts";

export interface FlusherOptions {
  handler: EventHandler;
  /** The log's output. Waiting for it keeps unread lines from piling up in memory. */
  output?: Pick<LineWriter, "flush">;
  seen: SeenEvents | undefined;
  backoff: BackoffSettings;
  counters: Counters;
  log: Log;
}

export class Flusher {
  readonly #options: FlusherOptions;
  readonly #stop = new AbortController();
  #last: Promise<void> = Promise.resolve();
  /** The flush that starts after the current one; callers that come meanwhile join it. */
  #next: { tasks: Set<PartitionTask>; flushed: Promise<void> } | undefined;

  constructor(options: FlusherOptions) {
    this.#options = options;
  }

  /**
   * Flushes, then moves each partition's `committable` offset up to what was finished when the flush started. At most
   * one flush runs and one waits. Resolves after the flush, which is retried until it succeeds, or after `abandon`.
   */
  flush(tasks: Iterable<PartitionTask>): Promise<void> {
    const { handler, seen, output } = this.#options;
    if (handler.flush === undefined && seen === undefined && output === undefined) {
      for (const task of tasks) task.markFlushed(task.checkpoint());
      return this.#last;
    }
    this.#next ??= this.#enqueue();
    for (const task of tasks) this.#next.tasks.add(task);
    return this.#next.flushed;
  }

  /** Stops retrying: the offsets of what could not be flushed stay where they are. */
  abandon(): void {
    this.#stop.abort();
  }

  #enqueue() {
    const tasks = new Set<PartitionTask>();
    this.#last = this.#last.then(() => {
      this.#next = undefined;
      return this.#flushNow([...tasks]);
    });
    return { tasks, flushed: this.#last };
  }

  async #flushNow(tasks: readonly PartitionTask[]): Promise<void> {
    const { handler, seen, output } = this.#options;
    const checkpoints = tasks.map((task) => task.checkpoint());
    const positions = tasks.flatMap(toHandledPosition);
    const handled = seen?.takeHandled() ?? [];
    if (!(await this.#retryUntilDone("handler flush failed: retrying", () => handler.flush?.(positions))))
      return;
    if (!(await this.#retryUntilDone("log output flush failed: retrying", () => output?.flush()))) return;
    if (!(await this.#retryUntilDone("saving event ids failed: retrying", () => seen?.remember(handled))))
      return;
    for (const [i, task] of tasks.entries()) task.markFlushed(checkpoints[i]!);
  }

  /** @returns false when abandoned */
  async #retryUntilDone(message: string, act: () => Promise<void> | void | undefined): Promise<boolean> {
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

/** None for a partition that is gone, one without a record yet, and a topic that this client can't describe. */
function toHandledPosition(task: PartitionTask): HandledPosition[] {
  const { topic, partition, position, describedTopic, isRewound } = task;
  if (task.fenced.aborted || position < 0 || describedTopic === undefined) return [];
  return [{ topic, partition, offset: position, topicId: describedTopic.topicId, isRewound }];
}
