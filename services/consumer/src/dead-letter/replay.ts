// Puts dead letters back, each once: the letters are read in a group of their own, and a letter's offset is committed in
// the transaction that writes its record. Killed at any moment, the next run goes on where this one was.
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
import { toReplayed } from "./replayed.ts";

export interface ReplayOptions {
  consumer: ClientConfig;
  producer: ClientConfig;
  /** Where the letters are. */
  deadLetterTopic: string;
  /** Where they are put back, if that is where they came from. */
  topic: string;
  /** The most that are put back. */
  limit: number;
  /** Looks, writes and commits nothing. */
  isDryRun: boolean;
  /** Told of every letter: put back (or, dry, would be), or in words why not. */
  onLetter(letter: ConsumedRecord, skipped: string | undefined): void;
  signal: AbortSignal;
}

export interface ReplayResult {
  replayed: number;
  skipped: number;
}

const BROKER_TIMEOUT_MS = 30_000;
const FETCH_RECORDS = 500;
const FETCH_WAIT_MS = 250;
/** Nothing read for this long is a failure. Longer than the group keeps the place of a replay that was killed. */
const PATIENCE_MS = 2 * BROKER_TIMEOUT_MS;
/** By its figures the client tells of offsets that are no letter: a transaction's markers, compacted ones. */
const STATISTICS_INTERVAL_MS = 500;

/** Reads to the letters' ends as they are at the start: what fails again and comes back as a letter isn't read. */
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
  /** By partition: the offset at which it is done. */
  readonly #ends = new Map<number, number>();
  /** By partition: the next letter to look at. */
  readonly #positions = new Map<number, number>();
  /** Assigned, with ends that aren't known yet. */
  #newlyAssigned: TopicPartition[] = [];
  /** How many partitions the letters are in. */
  #partitions = 0;
  /** Nothing has come since before the last statistics. */
  #isQuiet = false;
  #failure: unknown;

  constructor(options: ReplayOptions) {
    this.#options = options;
    const { consumer: config, producer, deadLetterTopic } = options;
    this.#consumer = createConsumer({
      config: { ...config, "statistics.interval.ms": STATISTICS_INTERVAL_MS },
      onAssigned: (partitions) => {
        this.#newlyAssigned.push(...partitions);
      },
      onRevoked: () => this.#interrupted(),
      onLost: () => this.#interrupted(),
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
    let quietSince = performance.now();
    while (!signal.aborted && !this.#isDone()) {
      if (this.#failure) throw this.#failure;
      if (performance.now() - quietSince > PATIENCE_MS)
        throw new KafkaError("timed_out", `Nothing could be read from ${deadLetterTopic}`);
      const letters = await this.#consumer.fetch(FETCH_RECORDS, FETCH_WAIT_MS);
      await this.#findEnds(this.#newlyAssigned.splice(0));
      const due = letters.filter(({ partition, offset }) => offset < (this.#ends.get(partition) ?? 0));
      const now = performance.now();
      if (letters.length > 0) quietSince = now;
      this.#isQuiet = now - quietSince > 4 * STATISTICS_INTERVAL_MS;
      await this.#putBack(due);
    }
    return this.#result;
  }

  async close(): Promise<void> {
    await this.#transactions?.close(5_000);
    await this.#consumer.close(10_000);
  }

  #isDone(): boolean {
    if (this.#result.replayed >= this.#options.limit) return true;
    // Partitions may come in several turns: a former replay gives its own up one after the other, or as its session ends.
    if (this.#ends.size < this.#partitions) return false;
    return [...this.#ends].every(([partition, end]) => this.#reached(partition) >= end);
  }

  /** Before which offset nothing is left to look at. */
  #reached(partition: number): number {
    const at = this.#positions.get(partition) ?? 0;
    const seen = this.#consumer.statistics()?.partitions.find((p) => p.partition === partition);
    return seen !== undefined && seen.fetchedAhead === 0 && this.#isQuiet
      ? Math.max(at, seen.nextOffset)
      : at;
  }

  async #countPartitions(): Promise<number> {
    const admin = await createAdmin({ config: this.#options.consumer, timeoutMs: BROKER_TIMEOUT_MS });
    try {
      return (await admin.describeTopic(this.#options.deadLetterTopic)).partitions.length;
    } finally {
      await admin.close();
    }
  }

  async #findEnds(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return;
    const committed = await this.#consumer.committed(partitions, BROKER_TIMEOUT_MS);
    for (const { topic, partition, offset } of committed) {
      const { low, high } = await this.#consumer.watermarks({ topic, partition }, BROKER_TIMEOUT_MS);
      this.#ends.set(partition, high);
      this.#positions.set(partition, Math.max(offset, low));
    }
  }

  async #putBack(letters: readonly ConsumedRecord[]): Promise<void> {
    const records: ProducerRecord[] = [];
    const offsets = new Map<number, TopicPartitionOffset>();
    const told: [ConsumedRecord, string | undefined][] = [];
    for (const letter of letters) {
      if (this.#result.replayed + records.length >= this.#options.limit) break;
      const { topic, partition, offset } = letter;
      const replayed = toReplayed(letter, this.#options.topic);
      if (typeof replayed !== "string") records.push(replayed);
      offsets.set(partition, { topic, partition, offset: offset + 1 });
      told.push([letter, typeof replayed === "string" ? replayed : undefined]);
    }
    if (told.length === 0) return;
    await this.#transactions?.write(records, this.#consumer, [...offsets.values()]);
    for (const { partition, offset } of offsets.values()) this.#positions.set(partition, offset);
    this.#result.replayed += records.length;
    this.#result.skipped += told.length - records.length;
    for (const [letter, skipped] of told) this.#options.onLetter(letter, skipped);
  }

  #interrupted(): void {
    this.#failure ??= new Error("another replay of this group has begun: run one at a time");
  }
}
