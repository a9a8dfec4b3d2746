// The loop: fetch → lanes → handler → settled → committed, for the partitions that the group gives this member.
import {
  type ConsumedRecord,
  type KafkaConsumer,
  type KafkaError,
  type RebalanceListener,
  type TopicPartition,
  toKafkaError,
} from "@ingest/kafka";
import type { Log } from "@ingest/service";
import { settlesWithin } from "@ingest/wait";
import type { Counters } from "../counters.ts";
import type { Commits } from "./commits.ts";
import { type BufferLimits, PartitionWork } from "./partition-work.ts";
import type { Processor } from "./processor.ts";
import type { Settling } from "./settling.ts";

export interface ConsumerLoopOptions {
  processor: Processor;
  settling: Settling;
  commits: Commits;
  /** Events of one partition worked on at once, those of one key always one after the other. */
  concurrency: number;
  /** Records taken from the client at once, at most. */
  fetchRecords: number;
  /** `records` in each partition; `bytes` in all, an equal share for each. */
  limits: BufferLimits;
  /** What work under way has when its partition is given up, ms. */
  rebalanceBudgetMs: number;
  counters: Counters;
  log: Log;
  /** Told of an error after which only a new process gets any further. */
  onFatal(error: KafkaError): void;
}

/** How long a fetch waits for the first record, ms: the loop's pulse when there is nothing to read. */
const FETCH_WAIT_MS = 200;
/** How long the loop waits for a flush before it asks Kafka again all the same, ms. */
const SETTLE_WAIT_MS = 1_000;
/** After a fetch that failed, ms. */
const FETCH_FAILED_PAUSE_MS = 500;

export class ConsumerLoop implements RebalanceListener {
  readonly #options: ConsumerLoopOptions;
  readonly #works = new Map<string, PartitionWork>();
  #consumer: KafkaConsumer | undefined;
  #running: Promise<void> | undefined;
  /** Nothing more is taken up. */
  #isStopping = false;
  /** Nothing more is fetched. */
  #isStopped = false;
  #hasJoined = false;

  constructor(options: ConsumerLoopOptions) {
    this.#options = options;
  }

  /** The partitions that are this member's. */
  get works(): Iterable<PartitionWork> {
    return this.#works.values();
  }

  /** Whether the group has ever told this member its part (which may be nothing, with more members than partitions). */
  get hasJoined(): boolean {
    return this.#hasJoined;
  }

  /** Reads with this consumer, which is connected and subscribed and has this loop as its listener. */
  start(consumer: KafkaConsumer): void {
    this.#consumer = consumer;
    this.#running = this.#run(consumer);
  }

  /** Takes nothing more up, finishes what runs within the budget, commits. The consumer stays open. */
  async stop(budgetMs: number): Promise<void> {
    this.#isStopping = true;
    const works = [...this.#works.values()];
    await this.#finish(works, budgetMs);
    for (const work of works) this.#forget(work);
    this.#isStopped = true;
    await this.#running;
  }

  onAssigned(partitions: readonly TopicPartition[]): void {
    const { counters, concurrency, log, processor } = this.#options;
    for (const partition of partitions)
      this.#works.set(nameOf(partition), new PartitionWork(partition, concurrency, processor.work));
    counters.assigned += partitions.length;
    if (partitions.length > 0) log.info({ partitions: numbersOf(partitions) }, "partitions assigned");
    if (!this.#hasJoined) log.info({ partitions: this.#works.size }, "connected and waiting for messages");
    this.#hasJoined = true;
  }

  async onRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    const works = this.#worksOf(partitions);
    this.#options.counters.revoked += works.length;
    const isFinished = await this.#finish(works, this.#options.rebalanceBudgetMs);
    for (const work of works) this.#forget(work);
    if (works.length > 0)
      this.#options.log.info({ partitions: numbersOf(works), finished: isFinished }, "partitions given up");
  }

  onLost(partitions: readonly TopicPartition[]): void {
    const works = this.#worksOf(partitions);
    this.#options.counters.lost += works.length;
    for (const work of works) this.#forget(work);
    if (works.length > 0)
      this.#options.log.warn(
        { partitions: numbersOf(works) },
        "partitions lost: the group went on without us",
      );
  }

  async #run(consumer: KafkaConsumer): Promise<void> {
    const { commits, settling } = this.#options;
    let fetching = this.#fetch(consumer);
    // Until it has stopped: while fetch is called, the client tells of commits and of partitions that go.
    while (!this.#isStopped) {
      await fetching;
      // The client brings the next ones while these are worked on.
      fetching = this.#fetch(consumer);
      await settlesWithin(settling.settle(this.#works.values()), SETTLE_WAIT_MS);
      commits.commitIfDue(consumer, this.#works.values());
      this.#regulate(consumer);
    }
    await fetching;
  }

  async #fetch(consumer: KafkaConsumer): Promise<void> {
    try {
      await consumer.fetch(this.#options.fetchRecords, FETCH_WAIT_MS, this.#takeUp);
    } catch (thrown) {
      const error = toKafkaError(thrown);
      if (error.isFatal) this.#options.onFatal(error);
      this.#options.log.warn({ code: error.code, error: error.message }, "fetch failed, it is tried again");
      await Bun.sleep(FETCH_FAILED_PAUSE_MS);
    }
  }

  /**
   * Runs when the records are taken: held back until a flush is done they could be given to their partition's next
   * assignment, which begins earlier, and what lies between would be passed over.
   */
  readonly #takeUp = (records: readonly ConsumedRecord[]): void => {
    if (records.length === 0 || this.#isStopping) return;
    const { counters } = this.#options;
    const startedAt = performance.now();
    const handledBefore = counters.handled;
    let work: PartitionWork | undefined;
    for (const record of records) {
      if (work?.partition !== record.partition || work.topic !== record.topic)
        work = this.#works.get(nameOf(record));
      if (work !== undefined && record.offset < work.next) work = this.#startOver(work, record);
      // None: given up after the client had taken the record out of its queue; its next owner reads it.
      work?.accept(record);
    }
    counters.fetched += records.length;
    this.#countHandledAtOnce(counters.handled - handledBefore, startedAt);
  };

  /**
   * The log has lost its end (a leader that wasn't in sync took over), the client went back to where it ends now, and
   * other records stand at offsets that were taken up before: they are as new as any.
   */
  #startOver(work: PartitionWork, { offset }: ConsumedRecord): PartitionWork {
    if (work.closing.aborted) return work;
    const { concurrency, counters, log, processor } = this.#options;
    counters.wentBack++;
    log.warn(
      { ...toTopicPartition(work), offset, expected: work.next, under_way: work.underWay },
      "offsets went back: the partition's log has lost records",
    );
    this.#forget(work);
    const anew = new PartitionWork(work, concurrency, processor.work);
    this.#works.set(nameOf(anew), anew);
    return anew;
  }

  /** Handlers that are done at once are timed together: two looks at the clock an event would double what many cost. */
  #countHandledAtOnce(handled: number, startedAt: number): void {
    if (handled === 0) return;
    this.#options.counters.handleTime.add((performance.now() - startedAt) / handled, handled);
  }

  /** Pauses what has too much under way, and lets go on what has little. */
  #regulate(consumer: KafkaConsumer): void {
    const pause: PartitionWork[] = [];
    const resume: PartitionWork[] = [];
    const { records, bytes } = this.#options.limits;
    const limits = { records, bytes: bytes / this.#works.size };
    for (const work of this.#works.values()) {
      const shouldPause = work.shouldPause(limits);
      if (shouldPause === work.isPaused) continue;
      work.isPaused = shouldPause;
      (shouldPause ? pause : resume).push(work);
    }
    if (pause.length > 0) this.#tell(consumer.pause(pause.map(toTopicPartition)));
    if (resume.length > 0) this.#tell(consumer.resume(resume.map(toTopicPartition)));
  }

  /** The fence: nothing new, what runs ends or is given up, what is done is committed. */
  async #finish(works: readonly PartitionWork[], budgetMs: number): Promise<boolean> {
    const { commits, settling, log } = this.#options;
    const deadline = performance.now() + budgetMs;
    const finished = await Promise.all(works.map((work) => work.close(budgetMs)));
    for (const [i, work] of works.entries()) {
      if (!finished[i])
        log.warn({ ...toTopicPartition(work), under_way: work.underWay }, "handlers did not end in time");
    }
    if (this.#consumer === undefined) return finished.every(Boolean);
    // Settling and the commit have what is left, and a little when nothing is.
    const rest = () => Math.max(deadline - performance.now(), 500);
    await settlesWithin(settling.settle(works), rest());
    const committing = commits.commitNow(this.#consumer, works);
    // A partition isn't given up under a commit of it: sent late, it would undo the next owner's. librdkafka ends every
    // commit within the session's time, and while it lasts there is no coordinator to give the partition to another.
    await (this.#isStopping ? settlesWithin(committing, rest()) : committing);
    return finished.every(Boolean);
  }

  #forget(work: PartitionWork): void {
    work.fence();
    if (this.#works.get(nameOf(work)) === work) this.#works.delete(nameOf(work));
    // The client would keep the pause for when the partition comes back.
    if (work.isPaused && this.#consumer) this.#tell(this.#consumer.resume([toTopicPartition(work)]));
  }

  #tell(request: Promise<void>): void {
    request.catch((thrown) => {
      this.#options.log.warn({ error: toKafkaError(thrown).message }, "pause or resume failed");
    });
  }

  #worksOf(partitions: readonly TopicPartition[]): PartitionWork[] {
    return partitions.flatMap((partition) => this.#works.get(nameOf(partition)) ?? []);
  }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`;
}

function toTopicPartition({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition };
}

function numbersOf(partitions: readonly TopicPartition[]): number[] {
  return partitions.map(({ partition }) => partition).sort((a, b) => a - b);
}
