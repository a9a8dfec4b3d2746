// Metrics by caller. Their labels are the ids of CALLERS_FILE, `anonymous` and `none`: requests can't add any.
import { Counter, countersOf, gauge, METRIC_PREFIX, type Registry } from "@ingest/service";
import type { CallerCounts } from "../callers/caller-counts.ts";
import type { CallerDirectory } from "../callers/directory.ts";
import type { FileReloader } from "../file-reloader.ts";

export function callerMetrics(registry: Registry, callers: Pick<CallerDirectory, "counts">): void {
  const add = (
    name: string,
    help: string,
    label: string,
    read: (counts: CallerCounts) => Readonly<Record<string, number>>,
  ) =>
    new Counter({
      name: METRIC_PREFIX + name,
      help,
      labelNames: ["caller", label],
      registers: [registry],
      collect() {
        this.reset();
        for (const [caller, counts] of callers.counts)
          for (const [value, count] of Object.entries(read(counts)))
            this.inc({ caller, [label]: value }, count);
      },
    });
  add(
    "caller_requests_total",
    "HTTP responses of the event routes by caller and status; none: without a valid key",
    "status",
    ({ requests }) => requests,
  );
  add("caller_events_total", "Events by caller and result", "outcome", ({ events }) => events);
}

export function reloadMetrics(
  registry: Registry,
  reloads: Pick<FileReloader<unknown>, "counts" | "loadedMs">,
): void {
  countersOf(
    registry,
    "callers_reloads_total",
    "Reloads of CALLERS_FILE by result: after a failure, the previous callers stay",
    "result",
    () => reloads.counts,
  );
  gauge(
    registry,
    "callers_loaded_timestamp_seconds",
    "Unix time at which the callers in use were read; of several workers, the earliest",
    () => reloads.loadedMs / 1_000,
    "min",
  );
}
