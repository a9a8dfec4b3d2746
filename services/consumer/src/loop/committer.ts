// Commits offsets: one commit at a time, never backwards, and none for a partition that is gone.
import type { CommittedOffset, KafkaConsumer } from "@ingest/kafka";
import { toKafkaError } from "@ingest/kafka";
import type { Log } from "@ingest/service";
import type { Counters } from "../counters.ts";
import { toCommitMetadata } from "../topic/commit-metadata.ts";
import type { PartitionTask } from "./partition-task.ts";

export interface CommitterOptions {
  /** Time between two commits, ms. After a crash, events handled since the last commit are handled again. */
  intervalMs: number;
  counters: Counters;
  log: Log;
}

export class Committer {
  readonly #options: CommitterOptions;
  #lastAt = performance.now();
  #inProgress: Promise<void> | undefined;

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  /** Starts a commit if the interval has passed and no commit is in progress. Doesn't wait for it. */
  commitIfDue(consumer: KafkaConsumer, tasks: Iterable<PartitionTask>): void {
    if (this.#inProgress !== undefined) return;
    const now = performance.now();
    if (now - this.#lastAt < this.#options.intervalMs) return;
    this.#lastAt = now;
    this.#start(consumer, tasks);
  }

  /** Waits for the commit in progress, then commits the rest. @returns whether everything committable is committed */
  async commitNow(consumer: KafkaConsumer, tasks: readonly PartitionTask[]): Promise<boolean> {
    while (this.#inProgress !== undefined) await this.#inProgress;
    await this.#start(consumer, tasks);
    return tasks.every((task) => task.committed >= task.committable);
  }

  #start(consumer: KafkaConsumer, tasks: Iterable<PartitionTask>): Promise<void> {
    const due = [...tasks].filter((task) => task.committable > task.committed && !task.fenced.aborted);
    if (due.length === 0) return Promise.resolve();
    this.#inProgress = this.#commit(consumer, due).finally(() => {
      this.#inProgress = undefined;
    });
    return this.#inProgress;
  }

  async #commit(consumer: KafkaConsumer, tasks: readonly PartitionTask[]): Promise<void> {
    const { counters, log } = this.#options;
    const offsets: CommittedOffset[] = tasks.map(({ topic, partition, committable, describedTopic }) => ({
      topic,
      partition,
      offset: committable,
      ...(describedTopic && { metadata: toCommitMetadata(describedTopic) }),
    }));
    try {
      await consumer.commit(offsets);
      counters.commits++;
      for (const [i, task] of tasks.entries()) task.committed = offsets[i]!.offset;
    } catch (thrown) {
      counters.commitFailures++;
      const { code, message } = toKafkaError(thrown);
      log.warn({ code, error: message, partitions: offsets.length }, "commit failed: retrying");
    }
  }
}
