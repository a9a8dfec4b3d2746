// Reads a range of a topic without a consumer group, for tests and verification.
import type {
  KafkaConsumer,
  LibrdKafkaError,
  Message,
  TopicPartitionOffset,
} from "@confluentinc/kafka-javascript";
import { connectClient, construct, disconnectClient, listen } from "./client.ts";
import { KafkaError, toKafkaError } from "./errors.ts";
import { librdkafkaProperties } from "./librdkafka-properties.ts";
import { queryMetadata, queryOffsets } from "./metadata.ts";
import { type ClientConfig, type ConsumedRecord, toConsumedRecord } from "./records.ts";

export interface ReadOptions {
  /** From `toClientConfig`, for any kind of client. */
  config: ClientConfig;
  topic: string;
  /** First offset to read in each partition; others are read from their start. */
  from?: ReadonlyMap<number, number>;
  /** Offset to stop before in each partition; others are read to their current end. */
  to?: ReadonlyMap<number, number>;
  /** Maximum number of records in a batch (1000). */
  batch?: number;
  /** Fails when nothing arrives for this long (30 s). */
  idleTimeoutMs?: number;
}

/** Time limit of one fetch, and so the interval at which an idle reader checks its timeout. */
const FETCH_TIMEOUT_MS = 200;

/**
 * Reads ranges of offsets in batches, each partition in order. Commits nothing.
 * Ends when every partition has reached its end offset. Leaving the loop early closes the reader too.
 * @throws KafkaError `unknown_topic`; `timed_out` when nothing arrives for `idleTimeoutMs`
 */
export async function* readTopic(options: ReadOptions): AsyncGenerator<ConsumedRecord[], void, void> {
  const { topic, batch = 1_000, idleTimeoutMs = 30_000 } = options;
  let lastError: KafkaError | undefined;
  const consumer = construct(
    readerConfig(options.config),
    ({ KafkaConsumer }) => new KafkaConsumer(readerConfig(options.config), {}),
  );
  listen(consumer, {
    onError: (error) => {
      lastError = error;
    },
  });
  await connectClient(consumer, idleTimeoutMs);
  try {
    const ranges = await findRanges(consumer, options, idleTimeoutMs);
    const open = new Map(ranges.map(({ partition, end }) => [partition, end]));
    const close = (partition: number) => {
      if (open.delete(partition)) consumer.pause([{ topic, partition }]);
    };
    // Reported before the records that precede them are returned, so they are checked after these.
    let ends: TopicPartitionOffset[] = [];
    consumer.on("partition.eof", (end: TopicPartitionOffset) => ends.push(end));
    if (open.size > 0)
      consumer.assign(ranges.map(({ partition, start }) => ({ topic, partition, offset: start })));
    let idleSince = performance.now();
    while (open.size > 0) {
      const records: ConsumedRecord[] = [];
      for (const message of await consume(consumer, batch)) {
        const end = open.get(message.partition);
        if (end === undefined) continue;
        if (message.offset < end) records.push(toConsumedRecord(message));
        if (message.offset >= end - 1) close(message.partition);
      }
      // Transaction markers after the last record are offsets without records.
      for (const { partition, offset } of ends)
        if (offset >= (open.get(partition) ?? Infinity)) close(partition);
      ends = [];
      if (records.length > 0) {
        yield records;
        idleSince = performance.now();
      } else if (open.size > 0 && performance.now() - idleSince > idleTimeoutMs)
        throw new KafkaError("timed_out", `No record of ${topic} arrived for ${idleTimeoutMs} ms`, {
          cause: lastError,
        });
    }
  } finally {
    await disconnectClient(consumer, 5_000);
  }
}

function readerConfig(config: ClientConfig): ClientConfig {
  const own = Object.entries(config).filter(
    ([name]) => librdkafkaProperties[name]?.roles !== "P" && name !== "group.instance.id",
  );
  return {
    "auto.offset.reset": "earliest",
    ...Object.fromEntries(own),
    // Required by librdkafka. Without subscription and commits, no group is created.
    "group.id": `reader-${crypto.randomUUID()}`,
    "enable.auto.commit": false,
    "enable.auto.offset.store": false,
    "enable.partition.eof": true,
    // Callers may spend any time on a batch.
    "max.poll.interval.ms": 86_400_000,
    "statistics.interval.ms": 0,
  };
}

interface PartitionRange {
  partition: number;
  start: number;
  end: number;
}

async function findRanges(
  consumer: KafkaConsumer,
  { topic, from, to }: ReadOptions,
  timeoutMs: number,
): Promise<PartitionRange[]> {
  const metadata = await queryMetadata(consumer, { topic }, timeoutMs);
  const partitions = metadata.topics.find(({ name }) => name === topic)?.partitions ?? [];
  if (partitions.length === 0) throw new KafkaError("unknown_topic", `There is no topic ${topic}`);
  const ranges = await Promise.all(
    partitions.map(async ({ id: partition }) => {
      const { low, high } = await queryOffsets(consumer, topic, partition, timeoutMs);
      return {
        partition,
        start: Math.max(from?.get(partition) ?? low, low),
        end: to?.get(partition) ?? high,
      };
    }),
  );
  return ranges.filter(({ start, end }) => start < end);
}

async function consume(consumer: KafkaConsumer, batch: number): Promise<Message[]> {
  consumer.setDefaultConsumeTimeout(FETCH_TIMEOUT_MS);
  try {
    return await new Promise<Message[]>((resolve, reject) => {
      consumer.consume(batch, (error: LibrdKafkaError, messages: Message[]) =>
        error ? reject(toKafkaError(error)) : resolve(messages),
      );
    });
  } catch (error) {
    // Temporary errors are retried until the idle timeout.
    if (toKafkaError(error).canRetry) return [];
    throw error;
  }
}
