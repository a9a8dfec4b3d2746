// Counters and histograms of HTTP requests, as plain numbers: the hot path adds, a scrape reads.
import { DurationHistogram } from "@ingest/service";
import { type EventPath, eventPaths } from "../events/routes.ts";

export class RouteMetrics {
  /** Responses by status. */
  readonly byStatus: Record<number, number> = {};
  /** From the head of the request until its response is made. */
  readonly durations = new DurationHistogram();

  /** @param startedMs from `performance.now()` */
  observe(status: number, startedMs: number): void {
    this.byStatus[status] = (this.byStatus[status] ?? 0) + 1;
    this.durations.add(performance.now() - startedMs);
  }
}

export class RequestMetrics {
  readonly routes: Readonly<Record<EventPath, RouteMetrics> & Record<string, RouteMetrics>>;
  /** Responses by status that no event handler made: unknown paths and methods, unexpected errors. */
  readonly other: Record<number, number> = {};

  /** @param paths of the routes that take events */
  constructor(paths: readonly string[] = eventPaths) {
    this.routes = Object.fromEntries(paths.map((path) => [path, new RouteMetrics()])) as typeof this.routes;
  }

  countOther(status: number): void {
    this.other[status] = (this.other[status] ?? 0) + 1;
  }
}
