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

/** A record's headers in their order. A name may be repeated, and a value may be null. */
export type RecordHeaders = readonly (readonly [name: string, value: Buffer | null])[];

/** Headers to be written, in their order. Text is written as UTF-8. */
export type NewHeaders = readonly (readonly [name: string, value: string | Uint8Array | null])[];

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
  timestampMs?: number | undefined;
  headers?: NewHeaders | undefined;
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
  headers: RecordHeaders;
}

/** A message as Confluent's client hands it over. */
export interface ClientMessage {
  topic: string;
  partition: number;
  offset: number;
  key?: Buffer | string | null | undefined;
  value: Buffer | null;
  timestamp?: number;
  headers?: readonly { [name: string]: string | Buffer | null }[];
}

/** Shared by all records without headers. */
const NO_HEADERS: RecordHeaders = Object.freeze([]);

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

function toHeaders(list: readonly { [name: string]: string | Buffer | null }[]): RecordHeaders {
  return list.map((header) => {
    const name = Object.keys(header)[0];
    // The addon writes each header as a property of an object, and that of this name is the object's prototype.
    if (name === undefined) return ["__proto__", Object.getPrototypeOf(header) as Buffer | null];
    const value = header[name]!;
    return [name, typeof value === "string" ? Buffer.from(value) : value];
  });
}

/** The value of the last header with this name, as Kafka's own clients choose it; undefined where there is none. */
export function lastHeader(headers: RecordHeaders, name: string): Buffer | null | undefined {
  return headers.findLast((header) => header[0] === name)?.[1];
}
