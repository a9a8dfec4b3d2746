// The text that travels with each committed offset: which topic the offset is of, and how many partitions it had then.
import type { TopicDescription } from "@ingest/kafka";

/** Base64 as Kafka writes topic ids: 22 characters, URL-safe or not. */
const PATTERN = /^topic-id=([A-Za-z0-9+/_-]{22}) partitions=(\d{1,9})$/;

export function toCommitMetadata({ topicId, partitions }: TopicDescription): string {
  return `topic-id=${topicId} partitions=${partitions}`;
}

/** @returns undefined for the text of another program, or none */
export function parseCommitMetadata(text: string | undefined): TopicDescription | undefined {
  const match = PATTERN.exec(text ?? "");
  return match === null ? undefined : { topicId: match[1]!, partitions: Number(match[2]) };
}
