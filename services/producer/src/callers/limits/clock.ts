// The two clocks of limits: one that measures time, and one that tells the day.

export interface Clock {
  /** Never goes back, and knows no date, ms. */
  monotonicMs(): number;
  /** Unix time, ms. It may be set back or forward at any time. */
  unixMs(): number;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  unixMs: () => Date.now(),
};
