// Metadata and watermark queries as promises.
import type { KafkaConsumer, MetadataOptions, Producer } from "@confluentinc/kafka-javascript";
import type { ClientMetadata } from "./client.ts";
import { toKafkaError } from "./errors.ts";

/** Brokers and topics. A producer's query may create a missing topic; a consumer's never does. */
export function queryMetadata(
  client: Producer | KafkaConsumer,
  about: Pick<MetadataOptions, "topic" | "allTopics">,
  timeoutMs: number,
): Promise<ClientMetadata> {
  return new Promise((resolve, reject) => {
    // By default Confluent's client queries all topics, even when one is named.
    const options = { allTopics: false, ...about, timeout: timeoutMs };
    client.getMetadata(options, (error, metadata) =>
      error ? reject(toKafkaError(error)) : resolve(metadata),
    );
  });
}

/** A partition's first offset, and the one that the next record will get. */
export function queryOffsets(
  client: Producer | KafkaConsumer,
  topic: string,
  partition: number,
  timeoutMs: number,
): Promise<{ low: number; high: number }> {
  return new Promise((resolve, reject) => {
    client.queryWatermarkOffsets(topic, partition, timeoutMs, (error, offsets) =>
      error ? reject(toKafkaError(error)) : resolve({ low: offsets.lowOffset, high: offsets.highOffset }),
    );
  });
}
