// Reading a stretch of a topic, without a group: what tests, the bench's check and a replay need.
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
  /** First offset to read, by partition; a partition that isn't named is read from its start. */
  from?: ReadonlyMap<number, number>;
  /** Offset to stop before, by partition; a partition that isn't named is read to its end as of now. */
  to?: ReadonlyMap<number, number>;
  /** Most records at once (1000). */
  batch?: number;
  /** How long nothing may come before it counts as a failure (30 s). */
  idleTimeoutMs?: number;
}

/** librdkafka's own words for how long one fetch may take; an idle reader looks at its clock this often. */
const FETCH_TIMEOUT_MS = 200;

/**
 * Reads a topic from offsets to offsets, in batches; within a partition in order. Commits nothing.
 * Ends when every partition has reached its end offset; leaving the loop early closes the reader too.
 * @throws KafkaError `unknown_topic`; `timed_out` when nothing comes for `idleTimeoutMs`
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
    const stretches = await findStretches(consumer, options, idleTimeoutMs);
    const open = new Map(stretches.map(({ partition, end }) => [partition, end]));
    const close = (partition: number) => {
      if (open.delete(partition)) consumer.pause([{ topic, partition }]);
    };
    // Told of before the records that lead there are handed over, so they are looked at after these.
    let ends: TopicPartitionOffset[] = [];
    consumer.on("partition.eof", (end: TopicPartitionOffset) => ends.push(end));
    if (open.size > 0)
      consumer.assign(stretches.map(({ partition, start }) => ({ topic, partition, offset: start })));
    let idleSince = performance.now();
    while (open.size > 0) {
      const records: ConsumedRecord[] = [];
      for (const message of await consume(consumer, batch)) {
        const end = open.get(message.partition);
        if (end === undefined) continue;
        if (message.offset < end) records.push(toConsumedRecord(message));
        if (message.offset >= end - 1) close(message.partition);
      }
      // Behind the last record there may be transaction markers, which are offsets without records.
      for (const { partition, offset } of ends)
        if (offset >= (open.get(partition) ?? Infinity)) close(partition);
      ends = [];
      if (records.length > 0) {
        yield records;
        idleSince = performance.now();
      } else if (open.size > 0 && performance.now() - idleSince > idleTimeoutMs)
        throw new KafkaError("timed_out", `Nothing of ${topic} could be read for ${idleTimeoutMs} ms`, {
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
    // librdkafka wants a name; with partitions assigned by hand and nothing committed no group comes of it.
    "group.id": `reader-${crypto.randomUUID()}`,
    "enable.auto.commit": false,
    "enable.auto.offset.store": false,
    "enable.partition.eof": true,
    // Whoever reads may take as long over a batch as it likes.
    "max.poll.interval.ms": 86_400_000,
    "statistics.interval.ms": 0,
  };
}

interface Stretch {
  partition: number;
  start: number;
  end: number;
}

async function findStretches(
  consumer: KafkaConsumer,
  { topic, from, to }: ReadOptions,
  timeoutMs: number,
): Promise<Stretch[]> {
  const metadata = await queryMetadata(consumer, { topic }, timeoutMs);
  const partitions = metadata.topics.find(({ name }) => name === topic)?.partitions ?? [];
  if (partitions.length === 0) throw new KafkaError("unknown_topic", `There is no topic ${topic}`);
  const stretches = await Promise.all(
    partitions.map(async ({ id: partition }) => {
      const { low, high } = await queryOffsets(consumer, topic, partition, timeoutMs);
      return {
        partition,
        start: Math.max(from?.get(partition) ?? low, low),
        end: to?.get(partition) ?? high,
      };
    }),
  );
  return stretches.filter(({ start, end }) => start < end);
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
    // What time mends is waited for, as long as the reader may be idle.
    if (toKafkaError(error).canRetry) return [];
    throw error;
  }
}
