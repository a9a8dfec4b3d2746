// The metrics at GET /metrics.
import type { ByteBudget } from "@ingest/http-server";
import { type ProducerStatistics, registerProducerGauges } from "@ingest/kafka";
import {
  Counter,
  counterOf,
  countersOf,
  createMetrics,
  gauge,
  histogramsOf,
  METRIC_PREFIX,
  type Registry,
} from "@ingest/service";
import type { CallerDirectory } from "../callers/directory.ts";
import type { Delivery } from "../delivery/index.ts";
import type { Admission } from "../events/admission.ts";
import type { EventService } from "../events/service.ts";
import type { FileReloader } from "../file-reloader.ts";
import type { EventSchemas } from "../schemas/index.ts";
import { callerMetrics, reloadMetrics } from "./caller-metrics.ts";
import type { RequestMetrics } from "./request-metrics.ts";

export interface MetricSources {
  requests: RequestMetrics;
  events: EventService;
  admission: Admission;
  bodies: ByteBudget;
  /** Of responses that clients have not read. */
  unsent: ByteBudget;
  connections: {
    readonly max: number;
    open(): number;
    /** Rejected because there were too many. */
    refused(): number;
  };
  /** Fields of trusted proxies that were ignored. */
  forwarded: { readonly ignoredFields: number };
  delivery: Pick<Delivery, "state">;
  /** Absent when SCHEMA_MODE is off. */
  schemas?: EventSchemas | undefined;
  hasJournal: boolean;
  /** Undefined without CALLERS_FILE. */
  callers: Pick<CallerDirectory, "counts"> | undefined;
  reloads: Pick<FileReloader<unknown>, "counts" | "loadedMs"> | undefined;
  /** The latest statistics of the Kafka client. */
  statistics(): ProducerStatistics | undefined;
}

export function createProducerMetrics(sources: MetricSources): Registry {
  const registry = createMetrics();
  requestMetrics(registry, sources);
  deliveryMetrics(registry, sources.delivery);
  if (sources.schemas !== undefined) schemaMetrics(registry, sources.schemas);
  if (sources.hasJournal) journalMetrics(registry, sources.delivery);
  if (sources.callers) callerMetrics(registry, sources.callers);
  if (sources.reloads) reloadMetrics(registry, sources.reloads);
  registerProducerGauges(registry, sources.statistics);
  gauge(registry, "workers", "Worker processes", () => 1);
  return registry;
}

function requestMetrics(registry: Registry, sources: MetricSources): void {
  const { requests, events, admission, bodies, unsent, connections, forwarded } = sources;
  new Counter({
    name: `${METRIC_PREFIX}http_requests_total`,
    help: "HTTP responses by route and status",
    labelNames: ["route", "status"],
    registers: [registry],
    collect() {
      this.reset();
      const add = (route: string, byStatus: Record<number, number>) => {
        for (const [status, count] of Object.entries(byStatus)) this.inc({ route, status }, count);
      };
      for (const [route, { byStatus }] of Object.entries(requests.routes)) add(route, byStatus);
      add("other", requests.other);
    },
  });
  histogramsOf(
    registry,
    "http_request_duration_seconds",
    "Time from the head of a request until its response is made",
    "route",
    Object.fromEntries(Object.entries(requests.routes).map(([route, { durations }]) => [route, durations])),
  );
  countersOf(registry, "events_total", "Events by result", "outcome", () => events.counts);
  gauge(
    registry,
    "http_requests_in_flight",
    "Admitted requests that have no response yet",
    () => admission.inFlight,
  );
  gauge(
    registry,
    "http_requests_in_flight_max",
    "Limit of http_requests_in_flight",
    () => admission.maxInFlight,
  );
  gauge(
    registry,
    "http_body_bytes_in_flight",
    "Bytes reserved for requests being received or decompressed",
    () => bodies.used,
  );
  gauge(
    registry,
    "http_unsent_bytes",
    "Bytes of responses that clients have not read yet",
    () => unsent.used,
  );
  gauge(registry, "http_connections", "Open connections", connections.open);
  gauge(registry, "http_connections_max", "Limit of http_connections", () => connections.max);
  counterOf(
    registry,
    "http_connections_refused_total",
    "Connections rejected at the limit",
    connections.refused,
  );
  counterOf(
    registry,
    "http_forwarded_ignored_total",
    "X-Forwarded-For and Forwarded fields of trusted proxies that were ignored: malformed, or without an IP address",
    () => forwarded.ignoredFields,
  );
}

function deliveryMetrics(registry: Registry, delivery: Pick<Delivery, "state">): void {
  const counts = () => delivery.state().counts;
  counterOf(registry, "delivered_total", "Events that Kafka confirmed", () => counts().delivered);
  countersOf(
    registry,
    "delivery_failures_total",
    "Failed deliveries by the client's error code; with a journal, retriable ones are retried",
    "reason",
    () => counts().failed,
  );
  countersOf(registry, "refused_total", "Events refused, by problem code", "reason", () => counts().refused);
  const totals: [name: string, help: string, read: () => number][] = [
    ["lost_total", "Events accepted and then dropped", () => counts().lost],
    [
      "rejected_total",
      "Events that Kafka rejected for good, quarantined beside the journal",
      () => counts().rejected,
    ],
    ["spooled_total", "Events written to the journal because Kafka didn't take them", () => counts().spooled],
    ["replayed_total", "Events sent to Kafka from the journal", () => counts().replayed],
    ["client_restarts_total", "Times the Kafka client was recreated", () => counts().clientRestarts],
  ];
  for (const [name, help, read] of totals) counterOf(registry, name, help, read);
  gauge(
    registry,
    "events_in_flight",
    "Events handed to the Kafka client whose outcome is pending",
    () => delivery.state().inFlight,
  );
  gauge(registry, "ready", "1 while events are taken", () => Number(delivery.state().ready));
  gauge(registry, "spooling", "1 while events go to the journal first", () =>
    Number(delivery.state().spooling),
  );
}

function schemaMetrics(registry: Registry, { check, loads }: EventSchemas): void {
  countersOf(
    registry,
    "schema_checks_total",
    "Events checked by their schema, by result",
    "result",
    () => check.counts,
  );
  countersOf(
    registry,
    "schema_violations_total",
    "Events that their schema does not allow, by type",
    "event_type",
    () => check.invalidByType,
  );
  countersOf(
    registry,
    "schema_loads_total",
    "Attempts to load the schemas, by result",
    "result",
    () => loads,
  );
  gauge(registry, "schemas", "Schemas in use", () => check.set.size, "max");
}

function journalMetrics(registry: Registry, delivery: Pick<Delivery, "state">): void {
  const journal = () => delivery.state().journal;
  gauge(registry, "journal_bytes", "Size of the journal", () => journal()?.bytes ?? 0);
  gauge(registry, "journal_max_bytes", "Limit of journal_bytes", () => journal()?.maxBytes ?? 0);
  gauge(
    registry,
    "journal_records",
    "Records that Kafka has not acknowledged",
    () => journal()?.records ?? 0,
  );
  gauge(registry, "journal_segments", "Segment files of the journal", () => journal()?.segments ?? 0);
  gauge(
    registry,
    "journal_oldest_seconds",
    "Age of the oldest record that Kafka has not acknowledged",
    () => (journal()?.oldestAgeMs ?? 0) / 1_000,
    "max",
  );
  const counts = () => delivery.state().counts;
  counterOf(
    registry,
    "journal_corrupt_total",
    "Journal records that failed their checksum",
    () => counts().corrupt,
  );
  counterOf(registry, "journal_fsyncs_total", "fsyncs of the journal", () => counts().fsyncs);
  counterOf(
    registry,
    "journal_fsync_failures_total",
    "Failed fsyncs of the journal",
    () => counts().fsyncFailures,
  );
}
