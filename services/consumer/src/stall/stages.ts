// What can get stuck in a partition: the handling of its records, and the flush after it.
import type { ConsumerStatistics } from "@ingest/kafka";
import { lagOf, statisticsOf } from "../lag.ts";
import type { PartitionWork } from "../loop/partition-work.ts";
import type { Stage } from "./stall-watch.ts";

/**
 * Records are handled: tries end, records are done with. Kafka being away is no stall, a restart wouldn't bring it back:
 * then no dead letter can be written, and without the partition's leader nothing can be fetched.
 */
export function handling(
  isConnected: () => boolean,
  statistics: () => ConsumerStatistics | undefined,
): Stage<PartitionWork> {
  const hasMore = (work: PartitionWork) =>
    (statisticsOf(work, statistics())?.isLeaderUp ?? false) && (lagOf(work, statistics()) ?? 0) > 0;
  return {
    hasWork: (work) => isConnected() && (work.underWay > 0 || hasMore(work)),
    done: (work) => work.ended,
  };
}

/** What is handled is flushed. Needs no Kafka. */
export const settling: Stage<PartitionWork> = {
  hasWork: (work) => work.unflushed > 0,
  done: (work) => work.flushed,
};
