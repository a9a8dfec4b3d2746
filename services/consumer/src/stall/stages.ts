// The two stages at which a partition can stall: handling its records, and flushing what was handled.
import type { ConsumerStatistics } from "@ingest/kafka";
import { lagOf, statisticsOf } from "../lag.ts";
import type { PartitionTask } from "../loop/partition-task.ts";
import type { Stage } from "./stall-watch.ts";

/**
 * Handling records. A pause between two tries is not a stall: a receiver may ask for a long one. An unavailable Kafka is not a stall, because a restart would not help: without brokers no dead letter
 * can be written, and without the partition's leader nothing can be fetched.
 */
export function handling(
  isConnected: () => boolean,
  statistics: () => ConsumerStatistics | undefined,
): Stage<PartitionTask> {
  const hasMore = (task: PartitionTask) =>
    (statisticsOf(task, statistics())?.isLeaderUp ?? false) && (lagOf(task, statistics()) ?? 0) > 0;
  return {
    hasWork: (task) => isConnected() && !task.isPausing && (task.inFlight > 0 || hasMore(task)),
    progress: (task) => task.progressCount,
  };
}

/** Flushing handled records. Independent of Kafka. */
export const flushing: Stage<PartitionTask> = {
  hasWork: (task) => task.unflushed > 0,
  progress: (task) => task.flushed,
};
