// What a topic's own settings forbid, as far as it can be told before an event is sent.

import type { NewHeaders } from "@ingest/kafka";
import type { EncodedEvent, RefusalCode, TopicLimits } from "./types.ts";

/** Bytes of a batch before its records (Kafka's record format, version 2). */
const BATCH_HEADER_BYTES = 61;
/** Most bytes that a record adds to its key and value: three lengths, and attributes, deltas and the count of headers. */
const MAX_RECORD_FRAMING_BYTES = 20;
/** A UTF-16 unit has at most so many bytes in UTF-8. */
const MAX_BYTES_PER_UNIT = 3;

/** @param settings of the topic, by Kafka's names */
export function toTopicLimits(settings: ReadonlyMap<string, string>): TopicLimits {
  return {
    isCompacted: settings.get("cleanup.policy")?.split(",").includes("compact") ?? false,
    maxBatchBytes: Number(settings.get("max.message.bytes") ?? Number.POSITIVE_INFINITY),
  };
}

/** Checks events against the limits of their topics. */
export class TopicLimitsCheck {
  /** Of KAFKA_TOPIC. Undefined while they are unknown: nothing is refused here then. */
  limits: TopicLimits | undefined;
  /** Of the topics that events name. */
  readonly byTopic = new Map<string, TopicLimits>();

  /** The largest batch that every topic takes: the client has one limit for all. Undefined while none is known. */
  get maxBatchBytes(): number | undefined {
    const known = [this.limits, ...this.byTopic.values()].flatMap((limits) => limits?.maxBatchBytes ?? []);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  /**
   * Why Kafka would refuse the event; undefined when it may take it. Allocates nothing.
   * Sizes are uncompressed, as those of KAFKA_MESSAGE_MAX_BYTES: a caller can't know how well an event compresses among
   * others. The client sends a batch that doesn't become smaller uncompressed, so an event that passes here fits alone.
   */
  refusal({ key, value, headers, topic }: EncodedEvent): RefusalCode | undefined {
    const limits = topic === undefined ? this.limits : this.byTopic.get(topic);
    if (limits === undefined) return undefined;
    if (limits.isCompacted && key === null) return "key_required";
    const units = value.length + (key?.length ?? 0);
    // The usual case: far below, whatever the characters are.
    if (
      headers === undefined &&
      BATCH_HEADER_BYTES + MAX_RECORD_FRAMING_BYTES + units * MAX_BYTES_PER_UNIT <= limits.maxBatchBytes
    )
      return undefined;
    return batchBytes(key, value, headers) > limits.maxBatchBytes ? "too_large" : undefined;
  }
}

/** The size of a batch with this record alone, uncompressed. */
export function batchBytes(key: string | null, value: string | Buffer, headers: NewHeaders = []): number {
  const keyBytes = key === null ? 0 : Buffer.byteLength(key);
  const valueBytes = typeof value === "string" ? Buffer.byteLength(value) : value.length;
  // attributes, timestamp delta, offset delta, key, value, number of headers
  let record =
    3 + varintBytes(key === null ? -1 : keyBytes) + keyBytes + varintBytes(valueBytes) + valueBytes;
  record += varintBytes(headers.length);
  for (const [name, content] of headers) {
    const nameBytes = Buffer.byteLength(name);
    const contentBytes = content === null ? 0 : Buffer.byteLength(content);
    record +=
      varintBytes(nameBytes) + nameBytes + varintBytes(content === null ? -1 : contentBytes) + contentBytes;
  }
  return BATCH_HEADER_BYTES + varintBytes(record) + record;
}

/** Size of a zigzag-encoded integer. */
function varintBytes(value: number): number {
  let zigzag = value < 0 ? -value * 2 - 1 : value * 2;
  let bytes = 1;
  for (; zigzag >= 128; zigzag /= 128) bytes++;
  return bytes;
}
