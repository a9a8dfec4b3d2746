// Consumer lag: how far handling is behind the end of a partition.
import type { ConsumerStatistics, PartitionStatistics, TopicPartition } from "@ingest/kafka";
import type { PartitionTask } from "./loop/partition-task.ts";

/**
 * Offsets between the oldest unhandled record and the partition's end, according to librdkafka's latest statistics;
 * undefined while unknown. Offsets without a record (transaction markers, compacted records) count as lag until the
 * partition has been read to its end; once everything there is handled, lag is 0.
 */
export function lagOf(
  task: Pick<PartitionTask, "topic" | "partition" | "position" | "inFlight">,
  statistics: ConsumerStatistics | undefined,
): number | undefined {
  const found = statisticsOf(task, statistics);
  if (found === undefined || found.endOffset < 0) return undefined;
  const isReadToItsEnd = found.nextOffset >= found.endOffset && found.fetchedAhead === 0;
  if (isReadToItsEnd && task.inFlight === 0) return 0;
  if (task.position >= 0) return Math.max(found.endOffset - task.position, 0);
  // Nothing read yet: librdkafka's estimate from the group's committed offset.
  return found.lag >= 0 ? found.lag : undefined;
}

export function statisticsOf(
  of: TopicPartition,
  statistics: ConsumerStatistics | undefined,
): PartitionStatistics | undefined {
  return statistics?.partitions.find(
    ({ topic, partition }) => topic === of.topic && partition === of.partition,
  );
}
