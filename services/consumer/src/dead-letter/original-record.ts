// Restores the original record from a dead letter, for replay.
import { deadLetterHeaders } from "@ingest/contract";
import { type ConsumedRecord, lastHeader, type ProducerRecord } from "@ingest/kafka";

const DEAD_LETTER_HEADERS: ReadonlySet<string> = new Set(Object.values(deadLetterHeaders));

/** Whether it was added by this service, and isn't the original record's. */
export function isDeadLetterHeader(name: string): boolean {
  return DEAD_LETTER_HEADERS.has(name);
}

/**
 * The record as first written: key, value, headers, timestamp. The partitioner chooses its partition again by key, so it
 * differs if partitions were added since.
 * @param topic the only topic that dead letters are replayed to
 * @returns the record, or the reason why this dead letter is skipped
 */
export function toOriginalRecord(deadLetter: ConsumedRecord, topic: string): ProducerRecord | string {
  const originalTopic = lastHeader(deadLetter.headers, deadLetterHeaders.topic)?.toString();
  if (originalTopic === undefined) return `has no header ${deadLetterHeaders.topic}`;
  if (originalTopic !== topic) return `came from topic ${originalTopic}`;
  if (deadLetter.value === null) return "has no value";
  const timestampMs = Number(
    lastHeader(deadLetter.headers, deadLetterHeaders.timestamp)?.toString() ?? Number.NaN,
  );
  const headers = deadLetter.headers.filter(([name]) => !isDeadLetterHeader(name));
  return {
    topic,
    key: deadLetter.key,
    value: deadLetter.value,
    ...(Number.isSafeInteger(timestampMs) && timestampMs >= 0 ? { timestampMs } : {}),
    ...(headers.length > 0 ? { headers } : {}),
  };
}
