// What a client asks brokers about topics, as promises.
import type { KafkaConsumer, MetadataOptions, Producer } from "@confluentinc/kafka-javascript";
import type { ClientMetadata } from "./client.ts";
import { toKafkaError } from "./errors.ts";

/** Brokers and topics. Asked by a producer, a topic that is missing may come into being; by a consumer never. */
export function queryMetadata(
  client: Producer | KafkaConsumer,
  about: Pick<MetadataOptions, "topic" | "allTopics">,
  timeoutMs: number,
): Promise<ClientMetadata> {
  return new Promise((resolve, reject) => {
    // Naming a topic isn't enough for Confluent's client: left to itself it asks for all of them.
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
