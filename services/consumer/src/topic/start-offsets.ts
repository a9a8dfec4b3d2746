// Where a partition is read from when it is assigned: an offset is only worth something in the topic it was committed for.
import type { CommittedOffset, TopicDescription } from "@ingest/kafka";
import { parseCommitMetadata } from "./commit-metadata.ts";

/** committed: the group's offset, or without one KAFKA_AUTO_OFFSET_RESET, as the client itself does. */
export type Start = "committed" | "beginning" | "end";

export interface StartContext {
  /** The topic as it is now. */
  topic: TopicDescription;
  /** The group's commits in all partitions of the topic. */
  committed: readonly CommittedOffset[];
  /** Whether this process has seen the topic being recreated. Kafka deletes a group's commits with the topic. */
  isRecreated: boolean;
  /** KAFKA_AUTO_OFFSET_RESET. */
  reset: "earliest" | "latest";
}

/**
 * A recreated topic is read from its beginning, and so is a partition that was added to a topic that the group reads:
 * all that is in them was written after the group began. Where a new group begins is KAFKA_AUTO_OFFSET_RESET's choice.
 */
export function toStart(partition: number, { topic, committed, isRecreated, reset }: StartContext): Start {
  const own = committed.find((commit) => commit.partition === partition);
  if (own !== undefined && own.offset >= 0) return isOfAnotherTopic(own, topic) ? "beginning" : "committed";
  // The client does that by itself.
  if (reset === "earliest") return "committed";
  if (isRecreated || isCommittedForAnother(committed, topic)) return "beginning";
  return partition < partitionsKnownToGroup(committed) ? "end" : "beginning";
}

/** Whether the group has read an earlier topic of this name. */
export function isCommittedForAnother(
  committed: readonly CommittedOffset[],
  topic: TopicDescription,
): boolean {
  return committed.some((commit) => commit.offset >= 0 && isOfAnotherTopic(commit, topic));
}

function isOfAnotherTopic({ metadata }: CommittedOffset, { topicId }: TopicDescription): boolean {
  const of = parseCommitMetadata(metadata);
  return of !== undefined && of.topicId !== topicId;
}

/** How many partitions the topic had when the group committed last; infinite for a group that never did. */
function partitionsKnownToGroup(committed: readonly CommittedOffset[]): number {
  const known = committed.flatMap(({ metadata }) => parseCommitMetadata(metadata)?.partitions ?? []);
  return known.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...known);
}
