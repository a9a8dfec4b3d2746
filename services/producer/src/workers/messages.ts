// What parent and workers tell each other.
import type { Health } from "@ingest/service";

/** What one worker says of itself. */
export interface WorkerReport {
  ready: Health;
  /** As prom-client's `getMetricsAsJSON`. */
  metrics: object[];
}

/** What the parent says of all of them together. */
export interface WholeReport {
  ready: Health;
  /** Prometheus text. */
  metrics: string;
}

export type FromWorker =
  | { type: "listening"; port: number }
  /** Somebody asks this worker, and wants to know of all. */
  | { type: "ask"; id: number }
  /** The answer to `report`. */
  | ({ type: "reported"; id: number } & WorkerReport)
  /** The answer to `ping`. */
  | { type: "pong"; id: number };

export type FromParent =
  | { type: "report"; id: number }
  /** Is its event loop still turning? */
  | { type: "ping"; id: number }
  /** The answer to `ask`. */
  | ({ type: "answered"; id: number } & WholeReport);
