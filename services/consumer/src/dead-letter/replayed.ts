// A dead letter → the record it was, to be put back where it came from.
import { deadLetterHeaders } from "@ingest/contract";
import type { ConsumedRecord, ProducerRecord } from "@ingest/kafka";

const OURS: ReadonlySet<string> = new Set(Object.values(deadLetterHeaders));

/**
 * The record as it was first written: key, value, headers, timestamp. The partition is chosen by key as then, so it may
 * be another where partitions have been added.
 * @param intoTopic only letters that came from this topic
 * @returns in words why it can't be put back, when it can't
 */
export function toReplayed(letter: ConsumedRecord, intoTopic: string): ProducerRecord | string {
  const topic = letter.headers[deadLetterHeaders.topic]?.toString();
  if (topic === undefined) return `has no header ${deadLetterHeaders.topic}`;
  if (topic !== intoTopic) return `came from the topic ${topic}`;
  if (letter.value === null) return "has no value";
  const timestampMs = Number(letter.headers[deadLetterHeaders.timestamp]?.toString() ?? Number.NaN);
  const headers = Object.fromEntries(Object.entries(letter.headers).filter(([name]) => !OURS.has(name)));
  return {
    topic,
    key: letter.key,
    value: letter.value,
    ...(Number.isSafeInteger(timestampMs) && timestampMs >= 0 ? { timestampMs } : {}),
    ...(Object.keys(headers).length > 0 ? { headers } : {}),
  };
}
