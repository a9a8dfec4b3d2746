// For tests: a consumer loop with an in-memory consumer.
import type {
  CommittedOffset,
  ConsumedRecord,
  ConsumerStatistics,
  KafkaConsumer,
  OnRecords,
  TopicDescription,
  TopicPartition,
  TopicPartitionOffset,
  Watermarks,
} from "@ingest/kafka";
import { createLog } from "@ingest/service";
import { Counters } from "../counters.ts";
import type { DeadLetterCause, DeadLetterOutcome, DeadLetters } from "../dead-letter/dead-letter-topic.ts";
import type { SeenEvents } from "../deduplication/seen-events.ts";
import type { EventHandler } from "../handler.ts";
import { Committer } from "./committer.ts";
import { ConsumerLoop, type ConsumerLoopOptions } from "./consumer-loop.ts";
import { Flusher, type FlusherOptions } from "./flusher.ts";
import { Processor } from "./processor.ts";

/** Stands for broker and client: records that are `put` come with a fetch, unless their partition is paused. */
class FakeConsumer implements KafkaConsumer {
  readonly connected = true;
  readonly commits: CommittedOffset[] = [];
  readonly paused = new Set<number>();
  everPaused = false;
  /** Makes the next commits fail. */
  commitError: Error | undefined;
  #ready: ConsumedRecord[] = [];
  readonly #ends: TopicPartitionOffset[] = [];
  #wake: (() => void) | undefined;

  put(...records: ConsumedRecord[]): void {
    this.#ready.push(...records);
    this.#wake?.();
  }

  /** Reports with the next fetch that a partition has been read up to here. */
  end(partition: number, offset: number): void {
    this.#ends.push({ topic: TOPIC, partition, offset });
    this.#wake?.();
  }

  /** Whether all records have been fetched. */
  get isEmpty(): boolean {
    return this.#ready.length === 0;
  }

  /** The last commit of each partition. */
  committedOffsets(): Record<number, number> {
    return Object.fromEntries(this.commits.map(({ partition, offset }) => [partition, offset]));
  }

  async fetch(maxRecords: number, timeoutMs: number, onRecords?: OnRecords): Promise<ConsumedRecord[]> {
    const take = () => {
      const taken = this.#ready.filter(({ partition }) => !this.paused.has(partition)).slice(0, maxRecords);
      this.#ready = this.#ready.filter((record) => !taken.includes(record));
      onRecords?.(taken, this.#ends.splice(0));
      return taken;
    };
    const now = take();
    if (now.length > 0) return now;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(timeoutMs, 5));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    return take();
  }

  async commit(offsets: readonly CommittedOffset[]): Promise<void> {
    if (this.commitError) throw this.commitError;
    this.commits.push(...offsets);
  }

  async pause(partitions: readonly TopicPartition[]): Promise<void> {
    this.everPaused = true;
    for (const { partition } of partitions) this.paused.add(partition);
  }

  async resume(partitions: readonly TopicPartition[]): Promise<void> {
    for (const { partition } of partitions) this.paused.delete(partition);
    this.#wake?.();
  }

  async connect(): Promise<void> {}
  subscribe(): void {}
  rejoin(): void {}
  async committed(): Promise<TopicPartitionOffset[]> {
    return [];
  }
  async watermarks(): Promise<Watermarks> {
    return { low: 0, high: 0 };
  }
  async describeTopic(): Promise<TopicDescription> {
    return { topicId: "AAAAAAAAAAAAAAAAAAAAAA", partitions: 2 };
  }
  async groupAssignment(): Promise<TopicPartition[]> {
    return [];
  }
  /** Where the client was told to continue. */
  readonly seeks: TopicPartitionOffset[] = [];
  /** Makes the next seeks fail. */
  seekError: Error | undefined;
  async seek(to: TopicPartitionOffset): Promise<void> {
    if (this.seekError) throw this.seekError;
    this.seeks.push(to);
  }
  statistics(): ConsumerStatistics | undefined {
    return undefined;
  }
  async close(): Promise<boolean> {
    return true;
  }
}

/** Stores dead letters in memory. */
class FakeDeadLetters implements DeadLetters {
  readonly stored: { record: ConsumedRecord; why: DeadLetterCause }[] = [];
  outcome: DeadLetterOutcome = "stored";
  /** A write waits for this. */
  delivery: Promise<void> | undefined;

  async write(record: ConsumedRecord, why: DeadLetterCause): Promise<DeadLetterOutcome> {
    await this.delivery;
    if (this.outcome === "stored") this.stored.push({ record, why });
    return this.outcome;
  }
  async close(): Promise<void> {}
}

export interface FixtureOptions extends Partial<Pick<ConsumerLoopOptions, "concurrency" | "limits">> {
  handler: EventHandler["handle"];
  flush?: EventHandler["flush"];
  output?: FlusherOptions["output"];
  maxTries?: number;
  rebalanceBudgetMs?: number;
  seen?: SeenEvents;
}

const TOPIC = "events";

/** Starts a loop with short pauses that commits at once. It has no partition yet. */
export function startLoop(options: FixtureOptions) {
  const consumer = new FakeConsumer();
  const deadLetters = new FakeDeadLetters();
  const counters = new Counters();
  const log = createLog("test", { LOG_LEVEL: "silent", LOG_FORMAT: "json" });
  const backoff = { firstMs: 1, maxMs: 4 };
  const handler: EventHandler = {
    name: "test",
    handle: options.handler,
    ...(options.flush ? { flush: options.flush } : {}),
  };
  const flusher = new Flusher({
    handler,
    ...(options.output ? { output: options.output } : {}),
    seen: options.seen,
    backoff,
    counters,
    log,
  });
  const topic = {
    current: undefined as TopicDescription | undefined,
    toStartOffsets: async (): Promise<TopicPartitionOffset[]> => [],
  };
  const loop = new ConsumerLoop({
    processor: new Processor({
      handler,
      maxTries: options.maxTries ?? 3,
      backoff,
      maxJsonDepth: 128,
      deadLetters,
      seen: options.seen,
      counters,
      log,
    }),
    flusher,
    topic,
    committer: new Committer({ intervalMs: 0, counters, log }),
    concurrency: options.concurrency ?? 1,
    fetchRecords: 100,
    limits: options.limits ?? { records: 1_000, bytes: 1e9 },
    rebalanceBudgetMs: options.rebalanceBudgetMs ?? 1_000,
    counters,
    log,
    onFatal() {},
  });
  loop.start(consumer);
  return { loop, consumer, deadLetters, counters, flusher, topic };
}

export function partitions(...numbers: number[]): TopicPartition[] {
  return numbers.map((partition) => ({ topic: TOPIC, partition }));
}

/** A record that contains an event. */
export function eventRecord(
  partition: number,
  offset: number,
  { key = null, id = `${partition}-${offset}` }: { key?: string | null; id?: string } = {},
): ConsumedRecord {
  const event = { event_id: id, timestamp: 1, event_type: "t", payload: { offset } };
  return record(partition, offset, Buffer.from(JSON.stringify(event)), key);
}

export function record(
  partition: number,
  offset: number,
  value: Buffer | null,
  key: string | null = null,
): ConsumedRecord {
  return {
    topic: TOPIC,
    partition,
    offset,
    key: key === null ? null : Buffer.from(key),
    value,
    timestampMs: 1_700_000_000_000,
    headers: [],
  };
}
