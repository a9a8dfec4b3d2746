// Several workers' reports → one answer for the service as a whole.
import type { Health, Registry } from "@ingest/service";
import { AggregatorRegistry } from "prom-client";
import type { WholeReport, WorkerReport } from "./messages.ts";

/** A worker that should be there; without a report it didn't answer, or isn't running. */
export interface WorkerState {
  index: number;
  report?: WorkerReport;
}

/** @param parent the parent's own figures: its memory and CPU time count as well */
export async function aggregate(workers: readonly WorkerState[], parent: Registry): Promise<WholeReport> {
  const reports = workers.flatMap(({ report }) => (report ? [report.metrics] : []));
  const metrics = AggregatorRegistry.aggregate([...reports, (await parent.getMetricsAsJSON()) as object[]]);
  return { ready: readinessOf(workers), metrics: await metrics.metrics() };
}

/**
 * Ready while any worker takes events: the system gives connections to the ones that listen, and one worker's trouble
 * is no reason to take the others' work away.
 */
function readinessOf(workers: readonly WorkerState[]): Health {
  const isReady = workers.some(({ report }) => report?.ready.ok);
  return {
    ok: isReady,
    workers: workers.map(({ index, report }) => {
      if (report === undefined) return { worker: index, status: "no answer" };
      const { ok, ...details } = report.ready;
      return { worker: index, status: ok ? "ok" : "unavailable", ...details };
    }),
  };
}
