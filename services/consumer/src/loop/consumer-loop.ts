// The loop: fetch → lanes → handler → flush → commit, for the partitions that the group assigns to this member.
import {
  type ConsumedRecord,
  type KafkaConsumer,
  type KafkaError,
  type OnRecords,
  type RebalanceListener,
  type TopicDescription,
  type TopicPartition,
  type TopicPartitionOffset,
  toKafkaError,
} from "@ingest/kafka";
import type { Log } from "@ingest/service";
import { settlesWithin } from "@ingest/wait";
import type { Counters } from "../counters.ts";
import type { TopicWatch } from "../topic/topic-watch.ts";
import type { Committer } from "./committer.ts";
import type { Flusher } from "./flusher.ts";
import { type BufferLimits, PartitionTask, type TaskStart } from "./partition-task.ts";
import type { Processor } from "./processor.ts";

export interface ConsumerLoopOptions {
  processor: Processor;
  flusher: Flusher;
  committer: Committer;
  /** Knows which topic the offsets are of, and so where to start. */
  topic: Pick<TopicWatch, "current" | "toStartOffsets">;
  /** Events of one partition handled concurrently. Events with the same key are always handled one after the other. */
  concurrency: number;
  /** Maximum number of records fetched from the client at once. */
  fetchRecords: number;
  /** `records` for each partition; `bytes` for all partitions together, in equal shares. */
  limits: BufferLimits;
  /** Time that events in flight have to finish when their partition is revoked, ms. */
  rebalanceBudgetMs: number;
  counters: Counters;
  log: Log;
  /** Called with an error that only a restart of the process can resolve. */
  onFatal(error: KafkaError): void;
}

/** How long a fetch waits for the first record, ms: the period of the loop while there is nothing to read. */
const FETCH_WAIT_MS = 200;
/** How long the loop waits for a flush before it fetches again, ms. */
const FLUSH_WAIT_MS = 1_000;
/** Pause after a failed fetch, ms. */
const FETCH_FAILED_PAUSE_MS = 500;
const SEEK_TIMEOUT_MS = 5_000;
/** Pause after a failed seek, ms. */
const SEEK_FAILED_PAUSE_MS = 500;
/** The least time that a flush and a commit get when a partition is revoked, ms. */
const MIN_COMMIT_BUDGET_MS = 500;

export class ConsumerLoop implements RebalanceListener {
  readonly #options: ConsumerLoopOptions;
  readonly #tasks = new Map<string, PartitionTask>();
  #consumer: KafkaConsumer | undefined;
  #running: Promise<void> | undefined;
  /** Fetched records are no longer accepted. */
  #isStopping = false;
  /** Nothing is fetched any more. */
  #isStopped = false;
  #hasJoined = false;

  constructor(options: ConsumerLoopOptions) {
    this.#options = options;
  }

  /** A task for each partition assigned to this member. */
  get tasks(): Iterable<PartitionTask> {
    return this.#tasks.values();
  }

  /** Whether this member has received an assignment. It may be empty, with more members than partitions. */
  get hasJoined(): boolean {
    return this.#hasJoined;
  }

  /** Starts reading with a consumer that is connected, is subscribed and has this loop as its listener. */
  start(consumer: KafkaConsumer): void {
    this.#consumer = consumer;
    this.#running = this.#run(consumer);
  }

  /** Accepts no more records, lets those in flight finish within the budget, and commits. The consumer stays open. */
  async stop(budgetMs: number): Promise<void> {
    this.#isStopping = true;
    const tasks = [...this.#tasks.values()];
    await this.#drain(tasks, budgetMs);
    for (const task of tasks) this.#remove(task);
    this.#isStopped = true;
    await this.#running;
  }

  toStartOffsets(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]> {
    return this.#options.topic.toStartOffsets(partitions);
  }

  onAssigned(partitions: readonly (TopicPartition & { offset?: number })[]): void {
    const { counters, log, topic } = this.#options;
    for (const { offset, ...partition } of partitions)
      this.#start(partition, { describedTopic: topic.current, startOffset: offset });
    counters.assigned += partitions.length;
    if (partitions.length > 0) log.info({ partitions: numbersOf(partitions) }, "partitions assigned");
    if (!this.#hasJoined) log.info({ partitions: this.#tasks.size }, "connected and waiting for messages");
    this.#hasJoined = true;
  }

  async onRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    const tasks = this.#tasksOf(partitions);
    this.#options.counters.revoked += tasks.length;
    const isFinished = await this.#drain(tasks, this.#options.rebalanceBudgetMs);
    for (const task of tasks) this.#remove(task);
    if (tasks.length > 0)
      this.#options.log.info({ partitions: numbersOf(tasks), finished: isFinished }, "partitions revoked");
  }

  onLost(partitions: readonly TopicPartition[]): void {
    const tasks = this.#tasksOf(partitions);
    this.#options.counters.lost += tasks.length;
    for (const task of tasks) this.#remove(task);
    if (tasks.length > 0) this.#options.log.warn({ partitions: numbersOf(tasks) }, "partitions lost");
  }

  /** The topic was deleted and created again. Each partition is read from its beginning; what is in flight is left. */
  onTopicRecreated({ topicId }: TopicDescription): void {
    for (const task of this.#tasks.values())
      if (task.describedTopic?.topicId !== topicId) void this.#startOver(task);
  }

  async #run(consumer: KafkaConsumer): Promise<void> {
    const { committer, flusher } = this.#options;
    let fetching = this.#fetch(consumer);
    // Runs until stopped, also while draining: commits and rebalances are only reported while fetch is called.
    while (!this.#isStopped) {
      await fetching;
      // The client fetches the next records while these are handled.
      fetching = this.#fetch(consumer);
      await settlesWithin(flusher.flush(this.#tasks.values()), FLUSH_WAIT_MS);
      committer.commitIfDue(consumer, this.#tasks.values());
      this.#pauseAndResume(consumer);
    }
    await fetching;
  }

  async #fetch(consumer: KafkaConsumer): Promise<void> {
    try {
      await consumer.fetch(this.#options.fetchRecords, FETCH_WAIT_MS, this.#accept);
    } catch (thrown) {
      const error = toKafkaError(thrown);
      if (error.isFatal) this.#options.onFatal(error);
      this.#options.log.warn({ code: error.code, error: error.message }, "fetch failed: retrying");
      await Bun.sleep(FETCH_FAILED_PAUSE_MS);
    }
  }

  /**
   * Runs at the moment the records leave the client's queue. If they waited for a flush, the partition could be revoked
   * and assigned again meanwhile, from an earlier offset: they would count for that assignment, and the records before
   * them would be skipped.
   */
  readonly #accept: OnRecords = (records, ends) => {
    if (this.#isStopping) return;
    if (records.length > 0) this.#acceptRecords(records);
    for (const end of ends) this.#tasks.get(idOf(end))?.readTo(end.offset);
  };

  #acceptRecords(records: readonly ConsumedRecord[]): void {
    const { counters } = this.#options;
    const startedAt = performance.now();
    const handledBefore = counters.handled;
    let task: PartitionTask | undefined;
    for (const record of records) {
      if (task?.partition !== record.partition || task.topic !== record.topic)
        task = this.#tasks.get(idOf(record));
      if (task !== undefined && record.offset < task.nextOffset)
        task = this.#restartAfterTruncation(task, record);
      // No task: the partition was revoked after the client had queued the record. Its next owner reads it.
      task?.accept(record);
    }
    counters.fetched += records.length;
    this.#countSynchronouslyHandled(counters.handled - handledBefore, startedAt);
  }

  /**
   * The partition's log was truncated by an unclean leader election, and the client continued at its new end. The
   * records that now have the offsets accepted before are new, so the partition starts over from there.
   */
  #restartAfterTruncation(task: PartitionTask, { offset }: ConsumedRecord): PartitionTask {
    if (task.closing.aborted) return task;
    const { counters, log } = this.#options;
    counters.logTruncations++;
    log.warn(
      { ...toTopicPartition(task), offset, expected: task.nextOffset, in_flight: task.inFlight },
      "log truncated: continuing at an earlier offset",
    );
    this.#remove(task);
    return this.#start(task, { describedTopic: task.describedTopic, isRewound: true });
  }

  #start(partition: TopicPartition, start: TaskStart): PartitionTask {
    const { concurrency, processor } = this.#options;
    const task = new PartitionTask(partition, concurrency, processor.process, start);
    this.#tasks.set(idOf(task), task);
    return task;
  }

  /** Fences the task, moves the client to the partition's beginning, and only then lets a new task take records. */
  async #startOver(task: PartitionTask): Promise<void> {
    const { log, topic } = this.#options;
    const consumer = this.#consumer;
    const partition = toTopicPartition(task);
    task.fence();
    while (consumer !== undefined && !this.#isStopping && this.#tasks.get(idOf(task)) === task) {
      try {
        const { low } = await consumer.watermarks(partition, SEEK_TIMEOUT_MS);
        await consumer.seek({ ...partition, offset: low }, SEEK_TIMEOUT_MS);
        if (this.#tasks.get(idOf(task)) !== task) return;
        this.#remove(task);
        this.#start(task, { describedTopic: topic.current, startOffset: low });
      } catch (thrown) {
        log.warn({ ...partition, error: toKafkaError(thrown).message }, "seek failed, retrying");
        await Bun.sleep(SEEK_FAILED_PAUSE_MS);
      }
    }
  }

  /** Synchronous handlers are timed together: two clock readings for each event would double the cost of many handlers. */
  #countSynchronouslyHandled(handled: number, startedAt: number): void {
    if (handled === 0) return;
    this.#options.counters.handleTime.add((performance.now() - startedAt) / handled, handled);
  }

  /** Pauses partitions above their limits and resumes those that are well below. */
  #pauseAndResume(consumer: KafkaConsumer): void {
    const pause: PartitionTask[] = [];
    const resume: PartitionTask[] = [];
    const { records, bytes } = this.#options.limits;
    const limits = { records, bytes: bytes / this.#tasks.size };
    for (const task of this.#tasks.values()) {
      const shouldPause = task.shouldPause(limits);
      if (shouldPause === task.isPaused) continue;
      task.isPaused = shouldPause;
      (shouldPause ? pause : resume).push(task);
    }
    if (pause.length > 0) this.#logFailure(consumer.pause(pause.map(toTopicPartition)));
    if (resume.length > 0) this.#logFailure(consumer.resume(resume.map(toTopicPartition)));
  }

  /** Starts nothing new, waits for events in flight, flushes and commits. @returns whether all events finished */
  async #drain(tasks: readonly PartitionTask[], budgetMs: number): Promise<boolean> {
    const { committer, flusher, log } = this.#options;
    const deadline = performance.now() + budgetMs;
    const finished = await Promise.all(tasks.map((task) => task.close(budgetMs)));
    for (const [i, task] of tasks.entries()) {
      if (!finished[i])
        log.warn(
          { ...toTopicPartition(task), in_flight: task.inFlight },
          "handlers timed out: their events are left to the next owner",
        );
    }
    if (this.#consumer === undefined) return finished.every(Boolean);
    const remainingMs = () => Math.max(deadline - performance.now(), MIN_COMMIT_BUDGET_MS);
    await settlesWithin(flusher.flush(tasks), remainingMs());
    const committing = committer.commitNow(this.#consumer, tasks);
    // A partition isn't released during its commit, which could arrive late and overwrite the next owner's. librdkafka
    // ends every commit within the session timeout, and without a coordinator nobody else gets the partition.
    await (this.#isStopping ? settlesWithin(committing, remainingMs()) : committing);
    return finished.every(Boolean);
  }

  #remove(task: PartitionTask): void {
    task.fence();
    if (this.#tasks.get(idOf(task)) === task) this.#tasks.delete(idOf(task));
    // The client would keep the pause for the partition's next assignment.
    if (task.isPaused && this.#consumer) this.#logFailure(this.#consumer.resume([toTopicPartition(task)]));
  }

  #logFailure(request: Promise<void>): void {
    request.catch((thrown) => {
      this.#options.log.warn({ error: toKafkaError(thrown).message }, "pause or resume failed");
    });
  }

  #tasksOf(partitions: readonly TopicPartition[]): PartitionTask[] {
    return partitions.flatMap((partition) => this.#tasks.get(idOf(partition)) ?? []);
  }
}

function idOf({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`;
}

function toTopicPartition({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition };
}

function numbersOf(partitions: readonly TopicPartition[]): number[] {
  return partitions.map(({ partition }) => partition).sort((a, b) => a - b);
}
