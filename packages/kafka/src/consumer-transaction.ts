// Kafka transactions that write records together with the consumed offsets they come from.
import { createOutbox, type NativeOutbox, OUTCOME_BYTES } from "@ingest/kafka-native";
import { connectClient, construct, disconnectClient, listen } from "./client.ts";
import { ConfluentConsumer } from "./confluent-consumer.ts";
import { toBytes } from "./confluent-producer.ts";
import type { KafkaConsumer } from "./consumer.ts";
import { toKafkaError } from "./errors.ts";
import { toHeaderBlock } from "./header-block.ts";
import type { ClientConfig, ProducerRecord, TopicPartitionOffset } from "./records.ts";

export interface TransactionsOptions {
  /** From `toClientConfig(settings, "producer")`. */
  config: ClientConfig;
  /**
   * Identifies the writer across restarts. A new writer aborts the open transaction of an earlier one with the same id,
   * which is then `fenced`.
   */
  transactionalId: string;
  /** Time limit of each step that waits for a broker. */
  timeoutMs: number;
}

export interface Transactions {
  /** @throws KafkaError */
  connect(): Promise<void>;
  /**
   * Writes the records and commits the offsets for the consumer's group: both or neither. Readers with
   * isolation.level=read_committed see none of the records before that.
   * @param consumer from `createConsumer`
   * @throws KafkaError when neither happened; `isFatal` when only a restart of the process can help
   */
  write(
    records: readonly ProducerRecord[],
    consumer: KafkaConsumer,
    offsets: readonly TopicPartitionOffset[],
  ): Promise<void>;
  close(timeoutMs: number): Promise<void>;
}

const OUTCOMES_AT_ONCE = 256;

/** @throws KafkaError `unsupported` or `invalid_config` */
export function createTransactions(options: TransactionsOptions): Transactions {
  const { timeoutMs } = options;
  const config = { ...options.config, "transactional.id": options.transactionalId };
  const producer = construct(config, (confluent) => new confluent.Producer(config));
  // Confluent's own produce takes no header whose value is null. The outcome of each record is in the transaction's.
  const outcomes = Buffer.allocUnsafe(OUTCOMES_AT_ONCE * OUTCOME_BYTES);
  const outbox = createOutbox(producer, () => {
    while (outbox.takeOutcomes(outcomes) === OUTCOMES_AT_ONCE);
  });
  listen(producer, {});
  return {
    async connect() {
      await connectClient(producer, timeoutMs);
      producer.setPollInBackground(true);
      await step((done) => producer.initTransactions(timeoutMs, done));
    },
    async write(records, consumer, offsets) {
      if (!(consumer instanceof ConfluentConsumer)) throw new TypeError("not a consumer of createConsumer");
      await step((done) => producer.beginTransaction(done));
      try {
        for (const record of records) produce(outbox, record);
        await step((done) =>
          producer.sendOffsetsToTransaction([...offsets], consumer.client, timeoutMs, done),
        );
        // Waits for the records too, and fails if one of them failed.
        await step((done) => producer.commitTransaction(timeoutMs, done));
      } catch (thrown) {
        const error = toKafkaError(thrown);
        if (!error.isFatal)
          await step((done) => producer.abortTransaction(timeoutMs, done)).catch(() => undefined);
        throw error;
      }
    },
    async close(closeTimeoutMs) {
      outbox.close();
      await disconnectClient(producer, closeTimeoutMs);
    },
  };
}

function produce(outbox: NativeOutbox, record: ProducerRecord): void {
  const { topic, partition = -1, timestampMs = 0, headers } = record;
  const code = outbox.produceOne(
    topic,
    partition,
    toBytes(record.key),
    toBytes(record.value),
    timestampMs,
    0,
    headers && toHeaderBlock(headers),
  );
  if (code !== 0) throw toKafkaError(code);
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
