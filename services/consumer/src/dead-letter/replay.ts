// Replays dead letters, each once: a consumer group of its own reads them, and a dead letter's offset is committed in the
// transaction that writes its record. A run that was killed at any moment is continued by the next one.
import {
  type ClientConfig,
  type ConsumedRecord,
  createAdmin,
  createConsumer,
  createTransactions,
  type KafkaConsumer,
  KafkaError,
  type ProducerRecord,
  type TopicPartition,
  type TopicPartitionOffset,
  type Transactions,
} from "@ingest/kafka";
import { toOriginalRecord } from "./original-record.ts";

export interface ReplayOptions {
  consumer: ClientConfig;
  producer: ClientConfig;
  /** The topic to read dead letters from. */
  deadLetterTopic: string;
  /** The topic to replay to. Dead letters that came from another topic are skipped. */
  topic: string;
  /** Maximum number of records replayed. */
  limit: number;
  /** Only reads; writes and commits nothing. */
  isDryRun: boolean;
  /** Called for each dead letter: replayed (in a dry run: would be), or skipped for this reason. */
  onDeadLetter(deadLetter: ConsumedRecord, skipReason: string | undefined): void;
  signal: AbortSignal;
}

export interface ReplayResult {
  replayed: number;
  skipped: number;
}

const BROKER_TIMEOUT_MS = 30_000;
const FETCH_RECORDS = 500;
const FETCH_WAIT_MS = 250;
/** Fails after reading nothing for this long: longer than the group waits for a replay that was killed. */
const IDLE_TIMEOUT_MS = 2 * BROKER_TIMEOUT_MS;
/** The client's statistics report offsets without a record: transaction markers and compacted records. */
const STATISTICS_INTERVAL_MS = 500;

/** Reads up to the ends as of the start, so that events that fail again are not replayed twice. @throws KafkaError */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const run = new Replay(options);
  try {
    return await run.run();
  } finally {
    await run.close();
  }
}

class Replay {
  readonly #options: ReplayOptions;
  readonly #consumer: KafkaConsumer;
  readonly #transactions: Transactions | undefined;
  readonly #result: ReplayResult = { replayed: 0, skipped: 0 };
  /** The end offset of each partition, as of its assignment. */
  readonly #ends = new Map<number, number>();
  /** The next offset to process in each partition. */
  readonly #positions = new Map<number, number>();
  /** Assigned partitions whose end offset is still to be queried. */
  #newlyAssigned: TopicPartition[] = [];
  /** Number of partitions of the dead-letter topic. */
  #partitions = 0;
  /** Whether no record has arrived for so long that the latest statistics count none in between. */
  #isIdle = false;
  #failure: unknown;

  constructor(options: ReplayOptions) {
    this.#options = options;
    const { consumer: config, producer, deadLetterTopic } = options;
    this.#consumer = createConsumer({
      config: { ...config, "statistics.interval.ms": STATISTICS_INTERVAL_MS },
      onAssigned: (partitions) => {
        this.#newlyAssigned.push(...partitions);
      },
      onRevoked: () => this.#onInterrupted(),
      onLost: () => this.#onInterrupted(),
      onError: (error) => {
        if (error.isFatal) this.#failure = error;
      },
    });
    if (!options.isDryRun)
      this.#transactions = createTransactions({
        config: producer,
        transactionalId: `replay-${deadLetterTopic}`,
        timeoutMs: BROKER_TIMEOUT_MS,
      });
  }

  async run(): Promise<ReplayResult> {
    const { deadLetterTopic, signal } = this.#options;
    await this.#consumer.connect(BROKER_TIMEOUT_MS);
    await this.#transactions?.connect();
    this.#partitions = await this.#countPartitions();
    this.#consumer.subscribe([deadLetterTopic]);
    let idleSince = performance.now();
    while (!signal.aborted && !this.#isDone()) {
      if (this.#failure) throw this.#failure;
      if (performance.now() - idleSince > IDLE_TIMEOUT_MS)
        throw new KafkaError("timed_out", `Nothing could be read from ${deadLetterTopic}`);
      const fetched = await this.#consumer.fetch(FETCH_RECORDS, FETCH_WAIT_MS);
      await this.#queryEnds(this.#newlyAssigned.splice(0));
      const now = performance.now();
      if (fetched.length > 0) idleSince = now;
      this.#isIdle = now - idleSince > 4 * STATISTICS_INTERVAL_MS;
      await this.#process(
        fetched.filter(({ partition, offset }) => offset < (this.#ends.get(partition) ?? 0)),
      );
    }
    return this.#result;
  }

  async close(): Promise<void> {
    await this.#transactions?.close(5_000);
    await this.#consumer.close(10_000);
  }

  #isDone(): boolean {
    if (this.#result.replayed >= this.#options.limit) return true;
    // Partitions may be assigned one after another, as an earlier replay releases them or its session ends.
    if (this.#ends.size < this.#partitions) return false;
    return [...this.#ends].every(([partition, end]) => this.#processedUpTo(partition) >= end);
  }

  /** The offset below which no dead letter is left to process. */
  #processedUpTo(partition: number): number {
    const position = this.#positions.get(partition) ?? 0;
    const statistics = this.#consumer.statistics()?.partitions.find((p) => p.partition === partition);
    return statistics !== undefined && statistics.fetchedAhead === 0 && this.#isIdle
      ? Math.max(position, statistics.nextOffset)
      : position;
  }

  async #countPartitions(): Promise<number> {
    const admin = await createAdmin({ config: this.#options.consumer, timeoutMs: BROKER_TIMEOUT_MS });
    try {
      return (await admin.describeTopic(this.#options.deadLetterTopic)).partitions.length;
    } finally {
      await admin.close();
    }
  }

  async #queryEnds(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return;
    const committed = await this.#consumer.committed(partitions, BROKER_TIMEOUT_MS);
    for (const { topic, partition, offset } of committed) {
      const { low, high } = await this.#consumer.watermarks({ topic, partition }, BROKER_TIMEOUT_MS);
      this.#ends.set(partition, high);
      this.#positions.set(partition, Math.max(offset, low));
    }
  }

  /** Writes the original records and commits the dead letters' offsets, in one transaction. */
  async #process(deadLetters: readonly ConsumedRecord[]): Promise<void> {
    const records: ProducerRecord[] = [];
    const offsets = new Map<number, TopicPartitionOffset>();
    const processed: [deadLetter: ConsumedRecord, skipReason: string | undefined][] = [];
    for (const deadLetter of deadLetters) {
      if (this.#result.replayed + records.length >= this.#options.limit) break;
      const { topic, partition, offset } = deadLetter;
      const original = toOriginalRecord(deadLetter, this.#options.topic);
      if (typeof original !== "string") records.push(original);
      offsets.set(partition, { topic, partition, offset: offset + 1 });
      processed.push([deadLetter, typeof original === "string" ? original : undefined]);
    }
    if (processed.length === 0) return;
    await this.#transactions?.write(records, this.#consumer, [...offsets.values()]);
    for (const { partition, offset } of offsets.values()) this.#positions.set(partition, offset);
    this.#result.replayed += records.length;
    this.#result.skipped += processed.length - records.length;
    for (const [deadLetter, skipReason] of processed) this.#options.onDeadLetter(deadLetter, skipReason);
  }

  #onInterrupted(): void {
    this.#failure ??= new Error("another replay of this group has started: run one at a time");
  }
}
