// Metrics of callers' limits. Their labels are the ids in CALLERS_FILE.
import { Counter, counterOf, Gauge, METRIC_PREFIX, type Registry } from "@ingest/service";
import type { KeptLimits } from "./index.ts";
import type { Limiters } from "./limiters.ts";

/** Of each process that takes requests. */
export function limitMetrics(registry: Registry, limiters: Pick<Limiters, "refusals">): void {
  const refusals = (
    name: string,
    help: string,
    read: (counts: { requests: number; events: number }) => number,
  ) =>
    new Counter({
      name: `${METRIC_PREFIX}${name}`,
      help,
      labelNames: ["caller", "limit"],
      registers: [registry],
      collect() {
        this.reset();
        for (const [caller, byLimit] of limiters.refusals())
          for (const [limit, counts] of Object.entries(byLimit)) this.inc({ caller, limit }, read(counts));
      },
    });
  refusals(
    "limited_requests_total",
    "Requests of which at least one event was refused by a limit of their caller",
    ({ requests }) => requests,
  );
  refusals(
    "limited_events_total",
    "Events that a limit of their caller refused; a request that was refused before its body counts as one",
    ({ events }) => events,
  );
}

/** Of the one process that keeps the quotas. */
export function quotaMetrics(registry: Registry, { limiters, file }: KeptLimits): void {
  const quota = (name: string, help: string, member: "used" | "max") =>
    new Gauge({
      name: `${METRIC_PREFIX}${name}`,
      help,
      labelNames: ["caller", "unit"],
      registers: [registry],
      collect() {
        this.reset();
        for (const { caller, unit, ...use } of limiters.quotaUse()) this.set({ caller, unit }, use[member]);
      },
    });
  quota(
    "quota_used",
    "What a caller has used of its quota today (UTC), with what workers hold for it",
    "used",
  );
  quota("quota_max", "Limit of quota_used", "max");
  counterOf(
    registry,
    "quota_file_failures_total",
    "Failed reads and writes of the quota file; quotas are counted in memory meanwhile",
    () => file.failures,
  );
}
