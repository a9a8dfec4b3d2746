// The metrics at GET /metrics.
import type { ConsumerStatistics } from "@ingest/kafka";
import {
  counterOf,
  createMetrics,
  Gauge,
  gauge,
  histogramOf,
  METRIC_PREFIX,
  type Registry,
} from "@ingest/service";
import type { Counters } from "./counters.ts";
import { lagOf } from "./lag.ts";
import type { PartitionTask } from "./loop/partition-task.ts";

export interface MetricSources {
  counters: Counters;
  tasks(): Iterable<PartitionTask>;
  statistics(): ConsumerStatistics | undefined;
  isConnected(): boolean;
  stalledForMs(): number;
}

export function createConsumerMetrics(sources: MetricSources): Registry {
  const registry = createMetrics();
  const { counters } = sources;
  const totals: [name: string, help: string, read: () => number][] = [
    ["records_fetched_total", "Records read from Kafka", () => counters.fetched],
    ["events_handled_total", "Events handled", () => counters.handled],
    ["handler_failures_total", "Failed tries of the handler", () => counters.failed],
    ["handler_retries_total", "Retries of the handler", () => counters.retried],
    ["dead_letters_total", "Records written to the dead-letter topic", () => counters.deadLettered],
    ["not_an_event_total", "Records that are not an event", () => counters.notAnEvent],
    [
      "dropped_total",
      "Records skipped because they could not be handled and DEAD_LETTER_TOPIC is off",
      () => counters.dropped,
    ],
    ["duplicates_total", "Events skipped as duplicates", () => counters.duplicates],
    [
      "abandoned_total",
      "Events in flight that were left to the next owner of their partition",
      () => counters.abandoned,
    ],
    ["commits_total", "Commits confirmed by the broker", () => counters.commits],
    ["commit_failures_total", "Failed commits", () => counters.commitFailures],
    [
      "flush_failures_total",
      "Failed flushes of the handler, the log or deduplication",
      () => counters.flushFailures,
    ],
    ["partitions_assigned_total", "Partitions assigned", () => counters.assigned],
    ["partitions_revoked_total", "Partitions revoked by a rebalance", () => counters.revoked],
    ["partitions_lost_total", "Partitions lost without a revocation", () => counters.lost],
    [
      "log_truncations_total",
      "Times that a partition's log was found truncated",
      () => counters.logTruncations,
    ],
    [
      "topic_recreations_total",
      "Times that the topic was found deleted and created again",
      () => counters.topicRecreations,
    ],
  ];
  for (const [name, help, read] of totals) counterOf(registry, `consumer_${name}`, help, read);
  gauge(registry, "consumer_connected", "1 while a broker is connected", () => Number(sources.isConnected()));
  gauge(
    registry,
    "consumer_stalled_seconds",
    "Longest time that a partition has had work without progress",
    () => sources.stalledForMs() / 1_000,
  );
  partitionGauges(registry, sources);
  histogramOf(registry, "consumer_handle_seconds", "Duration of one try of the handler", counters.handleTime);
  histogramOf(
    registry,
    "consumer_delay_seconds",
    "Time from receipt by the API until handled",
    counters.delay,
  );
  return registry;
}

function partitionGauges(registry: Registry, { tasks, statistics }: MetricSources): void {
  const all: [name: string, help: string, read: (task: PartitionTask) => number | undefined][] = [
    [
      "lag",
      "Offsets between the oldest unhandled record and the end of the partition",
      (task) => lagOf(task, statistics()),
    ],
    ["in_flight", "Records accepted and not finished", (task) => task.inFlight],
    [
      "position",
      "Oldest offset that is not handled",
      (task) => (task.position < 0 ? undefined : task.position),
    ],
    ["paused", "1 while fetching is paused", (task) => Number(task.isPaused)],
  ];
  for (const [name, help, read] of all) {
    new Gauge({
      name: `${METRIC_PREFIX}consumer_${name}`,
      help,
      labelNames: ["topic", "partition"],
      registers: [registry],
      collect() {
        this.reset();
        for (const task of tasks()) {
          const value = read(task);
          if (value !== undefined) this.set({ topic: task.topic, partition: String(task.partition) }, value);
        }
      },
    });
  }
}
