// A histogram that costs the hot path an addition: powers of two from 1 µs to 72 minutes.

/** The last bucket takes whatever is longer. */
const BUCKETS = 33;

export class DurationBuckets {
  /** How many durations were at most 2^i µs and above 2^(i-1). */
  readonly counts = new Float64Array(BUCKETS);
  sumMs = 0;
  count = 0;

  /** Adds `times` durations of `ms` each. */
  add(ms: number, times = 1): void {
    const micros = ms * 1_000;
    const bucket = micros <= 1 ? 0 : Math.min(Math.ceil(Math.log2(micros)), BUCKETS - 1);
    this.counts[bucket]! += times;
    this.sumMs += ms * times;
    this.count += times;
  }

  /** Upper bounds in seconds of the buckets, for Prometheus. */
  static bounds(): number[] {
    return Array.from({ length: BUCKETS - 1 }, (_, i) => 2 ** i / 1e6);
  }
}
