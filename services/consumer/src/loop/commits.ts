// Offsets to the broker: at most one commit under way, none older than the last, none for a partition that is gone.
import type { KafkaConsumer, TopicPartitionOffset } from "@ingest/kafka";
import { toKafkaError } from "@ingest/kafka";
import type { Log } from "@ingest/service";
import type { Counters } from "../counters.ts";
import type { PartitionWork } from "./partition-work.ts";

export interface CommitOptions {
  /** Time between two commits, ms. After a crash what was handled since the last is handled again. */
  intervalMs: number;
  counters: Counters;
  log: Log;
}

export class Commits {
  readonly #options: CommitOptions;
  #lastAt = performance.now();
  #underWay: Promise<void> | undefined;

  constructor(options: CommitOptions) {
    this.#options = options;
  }

  /** Starts a commit when it is time for one and none is under way; doesn't wait for it. */
  commitIfDue(consumer: KafkaConsumer, works: Iterable<PartitionWork>): void {
    if (this.#underWay !== undefined) return;
    const now = performance.now();
    if (now - this.#lastAt < this.#options.intervalMs) return;
    this.#lastAt = now;
    this.#start(consumer, works);
  }

  /** Commits what is settled and not committed, once what is under way is over. @returns whether nothing is left */
  async commitNow(consumer: KafkaConsumer, works: readonly PartitionWork[]): Promise<boolean> {
    while (this.#underWay !== undefined) await this.#underWay;
    await this.#start(consumer, works);
    return works.every((work) => work.committed >= work.settled);
  }

  #start(consumer: KafkaConsumer, works: Iterable<PartitionWork>): Promise<void> {
    const due = [...works].filter((work) => work.settled > work.committed && !work.fenced.aborted);
    if (due.length === 0) return Promise.resolve();
    this.#underWay = this.#commit(consumer, due).finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async #commit(consumer: KafkaConsumer, works: readonly PartitionWork[]): Promise<void> {
    const { counters, log } = this.#options;
    const offsets: TopicPartitionOffset[] = works.map(({ topic, partition, settled }) => ({
      topic,
      partition,
      offset: settled,
    }));
    try {
      await consumer.commit(offsets);
      counters.commits++;
      for (const [i, work] of works.entries()) work.committed = offsets[i]!.offset;
    } catch (thrown) {
      counters.commitFailures++;
      const { code, message } = toKafkaError(thrown);
      log.warn({ code, error: message, partitions: offsets.length }, "commit failed, it is tried again");
    }
  }
}
