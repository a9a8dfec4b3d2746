// How far behind a partition's end the handling is.
import type { ConsumerStatistics, PartitionStatistics, TopicPartition } from "@ingest/kafka";
import type { PartitionWork } from "./loop/partition-work.ts";

/**
 * Records between what is handled and the partition's end, as librdkafka last heard of it; undefined while that isn't
 * known. On the way to the end, offsets that are no record (transaction markers, compacted ones) are counted too; at
 * the end they aren't: a partition that is read to its end and handled has no lag.
 */
export function lagOf(
  work: Pick<PartitionWork, "topic" | "partition" | "position" | "underWay">,
  statistics: ConsumerStatistics | undefined,
): number | undefined {
  const found = statisticsOf(work, statistics);
  if (found === undefined || found.endOffset < 0) return undefined;
  const isReadToItsEnd = found.nextOffset >= found.endOffset && found.fetchedAhead === 0;
  if (isReadToItsEnd && work.underWay === 0) return 0;
  if (work.position >= 0) return Math.max(found.endOffset - work.position, 0);
  // Nothing read yet: librdkafka's own reckoning from what the group has committed.
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
