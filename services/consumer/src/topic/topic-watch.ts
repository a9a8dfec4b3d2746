// Watches the topic that is read: librdkafka says nothing when it is deleted, and reads on when it is recreated.
import {
  type CommittedOffset,
  type KafkaConsumer,
  type KafkaError,
  type TopicDescription,
  type TopicPartition,
  type TopicPartitionOffset,
  toKafkaError,
} from "@ingest/kafka";
import type { Log } from "@ingest/service";
import { pause, settlesWithin } from "@ingest/wait";
import type { Counters } from "../counters.ts";
import type { EventHandler } from "../handler.ts";
import { isCommittedForAnother, toStart } from "./start-offsets.ts";

export interface TopicWatchOptions {
  topic: string;
  /** KAFKA_AUTO_OFFSET_RESET. */
  reset: "earliest" | "latest";
  counters: Pick<Counters, "topicRecreations">;
  log: Log;
  /** Positions that the handler stored with its effects. */
  storedPositions?: EventHandler["storedPositions"];
  /** The topic was deleted and created again: positions in it are worth nothing any more. */
  onRecreated(topic: TopicDescription): void;
}

/** unknown: never seen, or this client may not describe it. */
export type TopicState = "unknown" | "present" | "missing";

/** Time between two looks. A look is one small request. */
const LOOK_EVERY_MS = 2_000;
/** The same while looks fail: Kafka is unavailable, or this client may not look. */
const LOOK_AFTER_FAILURE_MS = 10_000;
/** Of each request. An assignment makes at most three, one after the other. */
const REQUEST_TIMEOUT_MS = 1_500;

export class TopicWatch {
  readonly #options: TopicWatchOptions;
  readonly #stop = new AbortController();
  #consumer: KafkaConsumer | undefined;
  #state: TopicState = "unknown";
  #current: TopicDescription | undefined;
  /** Whether an earlier topic of this name was seen by this process. */
  #isRecreated = false;
  #hasFailed = false;
  #hasWarned = false;
  #looking: Promise<TopicDescription | undefined> | undefined;

  constructor(options: TopicWatchOptions) {
    this.#options = options;
  }

  get state(): TopicState {
    return this.#state;
  }

  /** The topic as last seen. */
  get current(): TopicDescription | undefined {
    return this.#current;
  }

  /**
   * @param consumer connected
   * @param afterLook for what else is to be looked at as often
   */
  start(consumer: KafkaConsumer, afterLook: () => Promise<void>): void {
    this.#consumer = consumer;
    void this.#run(afterLook);
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Where to start reading these partitions. Partitions that aren't returned start where the client starts them. */
  async toStartOffsets(partitions: readonly TopicPartition[]): Promise<TopicPartitionOffset[]> {
    const consumer = this.#consumer;
    // A look that has just failed would fail again, and hold up the assignment.
    const topic = this.#hasFailed ? undefined : await this.#look();
    if (consumer === undefined || topic === undefined) return [];
    const committed = await consumer.committed(this.#allPartitions(topic), REQUEST_TIMEOUT_MS);
    this.#noteOlderCommits(committed, topic);
    const { reset } = this.#options;
    const context = { topic, committed, isRecreated: this.#isRecreated, reset };
    const stored = await this.#storedPositions(topic);
    const starts = partitions.map(async ({ topic: name, partition }) => {
      const start = toStart(partition, context);
      const own = stored.find((position) => position.partition === partition)?.offset ?? -1;
      const committedOffset = committed.find((commit) => commit.partition === partition)?.offset ?? -1;
      if (start === "committed" && own <= committedOffset) return [];
      const { low, high } = await consumer.watermarks({ topic: name, partition }, REQUEST_TIMEOUT_MS);
      const chosen = { committed: committedOffset, beginning: low, end: high }[start];
      // Outside of the log: it was truncated, or deleted by retention.
      if (own >= low && own <= high && (own > chosen || start === "end"))
        return { topic: name, partition, offset: own };
      return start === "committed" ? [] : { topic: name, partition, offset: chosen };
    });
    return (await Promise.all(starts)).flat();
  }

  /** @returns none when they can't be read in time: what comes again is then left out by the handler */
  async #storedPositions({ topicId }: TopicDescription): Promise<readonly TopicPartitionOffset[]> {
    const { log, storedPositions, topic } = this.#options;
    if (storedPositions === undefined) return [];
    try {
      const reading = storedPositions(topic, topicId);
      if (await settlesWithin(reading, REQUEST_TIMEOUT_MS)) return await reading;
      log.warn({ topic }, "stored positions not read in time: starting at the committed offsets");
    } catch (error) {
      log.warn({ topic, error }, "stored positions can't be read: starting at the committed offsets");
    }
    return [];
  }

  async #run(afterLook: () => Promise<void>): Promise<void> {
    do {
      await this.#look();
      await afterLook();
    } while (await pause(this.#hasFailed ? LOOK_AFTER_FAILURE_MS : LOOK_EVERY_MS, this.#stop.signal));
  }

  /** One look at a time; callers that come meanwhile share it. @returns undefined when there is nothing to see */
  #look(): Promise<TopicDescription | undefined> {
    this.#looking ??= this.#lookNow().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookNow(): Promise<TopicDescription | undefined> {
    try {
      const seen = await this.#consumer!.describeTopic(this.#options.topic, REQUEST_TIMEOUT_MS);
      this.#hasFailed = false;
      this.#onSeen(seen);
      return seen;
    } catch (thrown) {
      const error = toKafkaError(thrown);
      this.#hasFailed = error.code !== "unknown_topic";
      if (this.#hasFailed) this.#onFailed(error);
      else this.#onMissing();
      return undefined;
    }
  }

  #onSeen(seen: TopicDescription): void {
    const { counters, log, onRecreated, topic } = this.#options;
    const previous = this.#current;
    if (this.#state === "missing") log.info({ topic, partitions: seen.partitions }, "topic present again");
    this.#state = "present";
    this.#current = seen;
    if (previous === undefined || previous.topicId === seen.topicId) return;
    this.#isRecreated = true;
    counters.topicRecreations++;
    log.warn(
      { topic, topic_id: seen.topicId, previous_topic_id: previous.topicId },
      "topic recreated: reading from its beginning",
    );
    onRecreated(seen);
  }

  #onMissing(): void {
    if (this.#state === "missing") return;
    this.#state = "missing";
    this.#options.log.error({ topic: this.#options.topic }, "topic missing: there is nothing to read");
  }

  #onFailed({ code, message }: KafkaError): void {
    if (code !== "authorization" || this.#hasWarned) return;
    this.#hasWarned = true;
    this.#options.log.warn(
      { topic: this.#options.topic, code, error: message },
      "topic can't be described: its deletion and recreation won't be noticed",
    );
  }

  /** Commits for an earlier topic, and no process of the group has noticed. */
  #noteOlderCommits(committed: readonly CommittedOffset[], current: TopicDescription): void {
    if (this.#isRecreated || !isCommittedForAnother(committed, current)) return;
    this.#isRecreated = true;
    const { counters, log, topic } = this.#options;
    counters.topicRecreations++;
    log.warn({ topic, topic_id: current.topicId }, "topic recreated: reading from its beginning");
  }

  #allPartitions({ partitions }: TopicDescription): TopicPartition[] {
    const { topic } = this.#options;
    return Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  }
}
