// The figures at GET /metrics.
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
import type { PartitionWork } from "./loop/partition-work.ts";

export interface MetricSources {
  counters: Counters;
  works(): Iterable<PartitionWork>;
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
    ["handler_failures_total", "Tries of the handler that failed", () => counters.failed],
    ["handler_retries_total", "Tries of the handler after the first", () => counters.retried],
    ["dead_letters_total", "Records written to the dead-letter topic", () => counters.deadLettered],
    ["not_an_event_total", "Records that are no event", () => counters.notAnEvent],
    ["dropped_total", "Records passed over with no dead-letter topic to go to", () => counters.dropped],
    ["duplicates_total", "Events passed over as handled before", () => counters.duplicates],
    ["abandoned_total", "Events under way that were left to another consumer", () => counters.abandoned],
    ["commits_total", "Commits that the broker confirmed", () => counters.commits],
    ["commit_failures_total", "Commits that failed", () => counters.commitFailures],
    ["flush_failures_total", "Flushes of the handler that failed", () => counters.flushFailures],
    ["partitions_assigned_total", "Partitions that came", () => counters.assigned],
    ["partitions_revoked_total", "Partitions given up in order", () => counters.revoked],
    ["partitions_lost_total", "Partitions that the group took away", () => counters.lost],
    ["offsets_went_back_total", "Times that a partition's log had lost its end", () => counters.wentBack],
  ];
  for (const [name, help, read] of totals) counterOf(registry, `consumer_${name}`, help, read);
  gauge(registry, "consumer_connected", "1 while a broker is up", () => Number(sources.isConnected()));
  gauge(
    registry,
    "consumer_stalled_seconds",
    "How long there has been work and no progress",
    () => sources.stalledForMs() / 1_000,
  );
  partitionGauges(registry, sources);
  histogramOf(registry, "consumer_handle_seconds", "One try of the handler", counters.handleTime);
  histogramOf(registry, "consumer_delay_seconds", "From the API's receipt until handled", counters.delay);
  return registry;
}

function partitionGauges(registry: Registry, { works, statistics }: MetricSources): void {
  const all: [name: string, help: string, read: (work: PartitionWork) => number | undefined][] = [
    ["lag", "Records of the partition that aren't handled", (work) => lagOf(work, statistics())],
    ["under_way", "Records taken up and not done with", (work) => work.underWay],
    ["position", "Next offset that isn't handled", (work) => (work.position < 0 ? undefined : work.position)],
    ["paused", "1 while nothing more is fetched", (work) => Number(work.isPaused)],
  ];
  for (const [name, help, read] of all) {
    new Gauge({
      name: `${METRIC_PREFIX}consumer_${name}`,
      help,
      labelNames: ["topic", "partition"],
      registers: [registry],
      collect() {
        this.reset();
        for (const work of works()) {
          const value = read(work);
          if (value !== undefined) this.set({ topic: work.topic, partition: String(work.partition) }, value);
        }
      },
    });
  }
}
