// Limits for tests, and a clock that stands until it is moved.
import type { CallerLimits } from "../../caller.ts";
import type { Clock } from "../clock.ts";

export class ManualClock implements Clock {
  #ms = 1_000;

  /** @param unix the time of day, which can be set */
  constructor(public unix = 0) {}

  monotonicMs(): number {
    return this.#ms;
  }

  unixMs(): number {
    return this.unix;
  }

  advance(ms: number): void {
    this.#ms += ms;
    this.unix += ms;
  }
}

export function toLimits(limits: Partial<CallerLimits>): CallerLimits {
  return {
    eventsPerSecond: undefined,
    burstEvents: undefined,
    bytesPerSecond: undefined,
    burstBytes: undefined,
    eventsPerDay: undefined,
    bytesPerDay: undefined,
    ...limits,
  };
}
