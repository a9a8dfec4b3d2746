// The messages between the parent process and its workers.
import type { Health } from "@ingest/service";
import type { Lease, LeaseRequest } from "../callers/limits/lease.ts";

/** Health and metrics of one worker. */
export interface WorkerReport {
  ready: Health;
  /** As prom-client's `getMetricsAsJSON`. */
  metrics: object[];
}

/** Health and metrics of the whole service. */
export interface ServiceReport {
  ready: Health;
  /** Prometheus text. */
  metrics: string;
}

export type FromWorker =
  | { type: "listening"; port: number }
  /** Requests the report of the whole service: the worker has a request for health or metrics. */
  | { type: "get_service_report"; id: number }
  /** The reply to `get_worker_report`. */
  | ({ type: "worker_report"; id: number } & WorkerReport)
  /** The reply to `ping`. */
  | { type: "pong"; id: number }
  /** Asks for tokens of a caller's limits. */
  | ({ type: "get_lease"; id: number } & LeaseRequest)
  /** Gives tokens back that the worker doesn't need. */
  | ({ type: "return_lease" } & LeaseRequest);

export type FromParent =
  | { type: "get_worker_report"; id: number }
  /** Checks that the worker's event loop is running. */
  | { type: "ping"; id: number }
  /** The reply to `get_service_report`. */
  | ({ type: "service_report"; id: number } & ServiceReport)
  /** The reply to `get_lease`. */
  | ({ type: "lease"; id: number } & Lease);
