// Capacity planning: the workers, consumers and brokers for a rate of events, estimated from one core's measurements.
import type { Report } from "./report-schema.ts";

/** Planned utilization of a core or a broker. The rest is headroom for peaks, restarts and failed neighbours. */
const PLANNED_SHARE = 0.6;
/** Replication factor: the cluster survives the loss of a broker. */
const REPLICAS = 3;
/** Sustained writes of a broker with ordinary disks and a 10 Gbit/s link. A rule of thumb. */
const BROKER_BYTES_PER_SECOND = 100e6;
/** The smallest cluster that survives the loss of a broker. */
const MIN_BROKERS = 3;
const MIN_PARTITIONS = 6;
const RATES = [10_000, 100_000, 1_000_000, 10_000_000];
const REQUEST_SIZES = [
  { load: "c64", title: "one event a request" },
  { load: "batch-json", title: "100 events a request" },
] as const;

export interface CapacityRow {
  readonly requestSize: string;
  readonly eventsPerSecond: number;
  /** Workers of the service, a core each. */
  readonly workers: number;
  /** Cores of consumers that log every event. */
  readonly consumers: number;
  readonly brokers: number;
  readonly partitions: number;
  /** Written to the brokers' disks, all replicas, bytes a second. */
  readonly storedBytesPerSecond: number;
}

/** @returns an empty list when the report has no measurement of the consumer or of the service */
export function toCapacity(report: Report): CapacityRow[] {
  const consumed = report.consumer.filter((s) => s.void.length === 0).map((s) => s.cpuMicrosPerEvent);
  if (consumed.length === 0) return [];
  const consumerMicros = Math.max(...consumed);
  return REQUEST_SIZES.flatMap(({ load, title }) => {
    const summary = report.summary.find((row) => row.server === "ingest" && row.load === load);
    const sample = report.samples.find(
      (s) => s.server === "ingest" && s.load === load && s.void.length === 0,
    );
    if (summary === undefined || sample === undefined) return [];
    const cores = (rate: number, micros: number) => Math.ceil((rate * micros) / 1e6 / PLANNED_SHARE);
    return RATES.map((rate) => {
      const consumers = cores(rate, consumerMicros);
      const storedBytesPerSecond = rate * sample.storedBytesPerEvent * REPLICAS;
      const brokers = Math.ceil(storedBytesPerSecond / BROKER_BYTES_PER_SECOND / PLANNED_SHARE);
      return {
        requestSize: title,
        eventsPerSecond: rate,
        workers: cores(rate, summary.cpuMicrosPerEvent.median),
        consumers,
        brokers: Math.max(MIN_BROKERS, brokers),
        // Twice the consumers: they can double without moving keys to other partitions.
        partitions: Math.max(MIN_PARTITIONS, 2 * consumers),
        storedBytesPerSecond,
      };
    });
  });
}

/** The plan as Markdown. It states what is measured and what is estimated. */
export function capacityMarkdown(report: Report): string {
  const rows = toCapacity(report);
  if (rows.length === 0) return "";
  const count = (value: number) => value.toLocaleString("en-US");
  const lines = rows.map((row) =>
    [
      "",
      row.requestSize,
      count(row.eventsPerSecond),
      count(row.workers),
      count(row.consumers),
      count(row.brokers),
      count(row.partitions),
      `${count(Math.round(row.storedBytesPerSecond / 1e6))} MB/s`,
      "",
    ]
      .join(" | ")
      .trim(),
  );
  return [
    "| | events/s | producer workers | consumer cores | brokers | partitions | to disk, all replicas |",
    "| --- | --: | --: | --: | --: | --: | --: |",
    ...lines,
    "",
    "Measured: CPU an event of the producer and of the consumer, on one core of the machine named above; bytes an event on " +
      `the broker's disk. Estimated: everything else. A core is planned to ${PLANNED_SHARE * 100} %, a record has ${REPLICAS} replicas, a ` +
      `broker writes ${BROKER_BYTES_PER_SECOND / 1e6} MB/s at most (a rule of thumb, not measured here) and is planned to the same share, partitions are ` +
      "twice the consumers. The producer's cost is the median, the consumer's that of its worst round. It is assumed that a " +
      "worker with a core of its own costs as much as a single worker: workers share only the port. Where they share their " +
      "cores with broker and load they cost more (WORKERS=2 above). Load balancers, TLS and the network are not included.",
  ].join("\n");
}
