// Reading here and writing there as one: records and the offsets they came from, in a transaction of Kafka's.
import type { Producer } from "@confluentinc/kafka-javascript";
import { connectClient, construct, disconnectClient, listen } from "./client.ts";
import type { KafkaConsumer } from "./consumer.ts";
import { clientOf } from "./consumer-clients.ts";
import { toKafkaError } from "./errors.ts";
import type { ClientConfig, ProducerRecord, TopicPartitionOffset } from "./records.ts";

export interface TransactionsOptions {
  /** From `toClientConfig(settings, "producer")`. */
  config: ClientConfig;
  /**
   * The writer's name, the same in each of its lives: a new one ends what a former one left open, and one that still
   * runs under the name is shut out (`fenced`).
   */
  transactionalId: string;
  /** For each step that waits for a broker. */
  timeoutMs: number;
}

export interface Transactions {
  /** @throws KafkaError */
  connect(): Promise<void>;
  /**
   * Writes the records and commits the offsets for the consumer's group: both or neither. Readers with
   * isolation.level=read_committed see none of the records before that.
   * @throws KafkaError when it was neither; `isFatal` when only a new process gets any further
   */
  write(
    records: readonly ProducerRecord[],
    consumer: KafkaConsumer,
    offsets: readonly TopicPartitionOffset[],
  ): Promise<void>;
  close(timeoutMs: number): Promise<void>;
}

/** @throws KafkaError `unsupported` or `invalid_config` */
export function createTransactions(options: TransactionsOptions): Transactions {
  const { timeoutMs } = options;
  const config = { ...options.config, "transactional.id": options.transactionalId };
  const producer = construct(config, (confluent) => new confluent.Producer(config));
  listen(producer, {});
  return {
    async connect() {
      await connectClient(producer, timeoutMs);
      producer.setPollInBackground(true);
      await step((done) => producer.initTransactions(timeoutMs, done));
    },
    async write(records, consumer, offsets) {
      await step((done) => producer.beginTransaction(done));
      try {
        for (const record of records) produce(producer, record);
        await step((done) =>
          producer.sendOffsetsToTransaction([...offsets], clientOf(consumer), timeoutMs, done),
        );
        // Waits for the records too, and fails when one of them did.
        await step((done) => producer.commitTransaction(timeoutMs, done));
      } catch (thrown) {
        const error = toKafkaError(thrown);
        if (!error.isFatal)
          await step((done) => producer.abortTransaction(timeoutMs, done)).catch(() => undefined);
        throw error;
      }
    },
    async close(closeTimeoutMs) {
      await disconnectClient(producer, closeTimeoutMs);
    },
  };
}

function produce(producer: Producer, { topic, partition, key, value, timestampMs, headers }: ProducerRecord) {
  const list = Object.entries(headers ?? {}).map(([name, content]) => ({
    [name]: typeof content === "string" ? Buffer.from(content) : Buffer.from(content),
  }));
  producer.produce(
    topic,
    partition ?? null,
    value === null ? null : Buffer.from(value),
    // As bytes: the addon reads a text key up to its first NUL.
    key === null ? null : Buffer.from(key as Uint8Array),
    timestampMs,
    undefined,
    list,
  );
}

function step(start: (done: (error: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    try {
      start((error) => (error ? reject(toKafkaError(error)) : resolve()));
    } catch (thrown) {
      reject(toKafkaError(thrown));
    }
  });
}
