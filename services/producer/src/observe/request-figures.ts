// What the API's own requests cost and how they ended, as plain numbers: the hot path adds, a scrape reads.
import { DurationHistogram } from "@ingest/service";

/** The routes that take events. */
export const eventPaths = ["/register_event", "/register_events"] as const;
export type EventPath = (typeof eventPaths)[number];

export class RouteFigures {
  /** Answers by status. */
  readonly byStatus: Record<number, number> = {};
  /** From the head of the request until the answer is made. */
  readonly durations = new DurationHistogram();

  /** @param startedMs from `performance.now()` */
  note(status: number, startedMs: number): void {
    this.byStatus[status] = (this.byStatus[status] ?? 0) + 1;
    this.durations.add(performance.now() - startedMs);
  }
}

export class RequestFigures {
  readonly routes: Record<EventPath, RouteFigures> = {
    "/register_event": new RouteFigures(),
    "/register_events": new RouteFigures(),
  };
  /** Answers of errors outside those routes' handlers, by status: unknown addresses and methods, faults of ours. */
  readonly other: Record<number, number> = {};

  noteOther(status: number): void {
    this.other[status] = (this.other[status] ?? 0) + 1;
  }
}
