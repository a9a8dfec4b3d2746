// Records and partitions, free of the client's own types.

/** librdkafka's configuration: property name → value, without functions and nested objects. */
export type ClientConfig = Record<string, unknown>;

/** A partition of a topic. */
export interface TopicPartition {
  topic: string;
  partition: number;
}

/** A place in a partition. For a commit it is the next offset to read: the last handled one plus 1. */
export interface TopicPartitionOffset extends TopicPartition {
  offset: number;
}

/** A group's committed offset, with a text of the committer's own. Kafka keeps it as the commit's metadata. */
export interface CommittedOffset extends TopicPartitionOffset {
  metadata?: string;
}

/** Where a record was stored. On failure `offset` is negative, and so is `partition` when none was chosen. */
export interface Delivery {
  topic: string;
  partition: number;
  offset: number;
}

/** One record to be written. */
export interface ProducerRecord {
  topic: string;
  /** Default: the partitioner chooses by key. */
  partition?: number;
  /** Records of one key keep their order. Text is written as UTF-8. */
  key: string | Uint8Array | null;
  /** Text is written as UTF-8. `null` is a tombstone; an empty text or array is an empty value. */
  value: string | Uint8Array | null;
  /** Unix ms. Default: the time of the call. */
  timestampMs?: number;
  headers?: Record<string, string | Uint8Array>;
  /** Comes back with the outcome. */
  context?: unknown;
}

/** One record as read. Its buffers are its own and may be kept. */
export interface ConsumedRecord {
  topic: string;
  partition: number;
  offset: number;
  key: Buffer | null;
  value: Buffer | null;
  /** Unix ms, set by the producer or the broker as the topic is configured; -1 when there is none. */
  timestampMs: number;
  /** Of several headers with the same name, the last one. */
  headers: Record<string, Buffer>;
}

/** A message as Confluent's client hands it over. */
export interface ClientMessage {
  topic: string;
  partition: number;
  offset: number;
  key?: Buffer | string | null | undefined;
  value: Buffer | null;
  timestamp?: number;
  headers?: readonly { [name: string]: string | Buffer }[];
}

const NO_HEADERS: Record<string, Buffer> = Object.freeze({});

/** Confluent's message → ours. Runs once per record, so it copies nothing. */
export function toConsumedRecord(message: ClientMessage): ConsumedRecord {
  const { key, headers } = message;
  return {
    topic: message.topic,
    partition: message.partition,
    offset: message.offset,
    key: typeof key === "string" ? Buffer.from(key) : (key ?? null),
    value: message.value,
    timestampMs: message.timestamp ?? -1,
    headers: headers === undefined || headers.length === 0 ? NO_HEADERS : toHeaders(headers),
  };
}

function toHeaders(list: readonly { [name: string]: string | Buffer }[]): Record<string, Buffer> {
  const headers: Record<string, Buffer> = {};
  for (const header of list) {
    for (const name of Object.keys(header)) {
      const value = header[name]!;
      headers[name] = typeof value === "string" ? Buffer.from(value) : value;
    }
  }
  return headers;
}
