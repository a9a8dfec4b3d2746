// Reports of all workers → the report of the service as a whole.
import type { Health, Registry } from "@ingest/service";
import { AggregatorRegistry } from "prom-client";
import type { ServiceReport, WorkerReport } from "./messages.ts";

/** A worker that should be running. Without a report it didn't reply in time, or isn't running. */
export interface WorkerState {
  index: number;
  report?: WorkerReport;
}

/**
 * @param parent the parent's own metrics: its memory and CPU time count as well
 * @param isStopping the parent is stopping, and a worker may not know it yet
 */
export async function aggregate(
  workers: readonly WorkerState[],
  parent: Registry,
  isStopping = false,
): Promise<ServiceReport> {
  const reports = workers.flatMap(({ report }) => (report ? [report.metrics] : []));
  const metrics = AggregatorRegistry.aggregate([...reports, (await parent.getMetricsAsJSON()) as object[]]);
  return { ready: readinessOf(workers, isStopping), metrics: await metrics.metrics() };
}

/**
 * Ready while any worker takes events: the kernel gives new connections to the workers that listen, so a single failing
 * worker is no reason to stop sending requests to the service.
 */
function readinessOf(workers: readonly WorkerState[], isStopping: boolean): Health {
  const isReady = workers.some(({ report }) => report?.ready.ok);
  return {
    ok: isReady && !isStopping,
    ...(isStopping ? { reason: "shutting_down" } : {}),
    workers: workers.map(({ index, report }) => {
      if (report === undefined) return { worker: index, status: "unresponsive" };
      const { ok, ...details } = report.ready;
      return { worker: index, status: ok ? "ok" : "unavailable", ...details };
    }),
  };
}
