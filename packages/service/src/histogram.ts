// A histogram of durations that costs the hot path a few additions; prom-client's own looks up objects by label.
import type { Registry } from "prom-client";
import { METRIC_PREFIX } from "./metrics.ts";

/** Upper bounds in seconds: from a response out of memory to the longest that a client waits. */
export const DURATION_BOUNDS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

export class DurationHistogram {
  /** For each bound, the durations up to it and above the one before; the last count is of those above all bounds. */
  readonly counts: Float64Array;
  sumMs = 0;
  readonly #boundsMs: Float64Array;

  constructor(readonly bounds: readonly number[] = DURATION_BOUNDS) {
    this.#boundsMs = Float64Array.from(bounds, (seconds) => seconds * 1_000);
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** Counts `times` durations of `ms` each. */
  add(ms: number, times = 1): void {
    const bounds = this.#boundsMs;
    let bucket = 0;
    while (bucket < bounds.length && ms > bounds[bucket]!) bucket++;
    this.counts[bucket]! += times;
    this.sumMs += ms * times;
  }
}

/** Exposes a histogram that is kept elsewhere. */
export function histogramOf(
  registry: Registry,
  name: string,
  help: string,
  histogram: DurationHistogram,
): void {
  register(registry, name, help, (fullName) => samples(fullName, {}, histogram));
}

/** Exposes histograms that are kept elsewhere, one for each value of `label`. */
export function histogramsOf(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  histograms: Readonly<Record<string, DurationHistogram>>,
): void {
  register(registry, name, help, (fullName) =>
    Object.entries(histograms).flatMap(([value, histogram]) =>
      samples(fullName, { [label]: value }, histogram),
    ),
  );
}

type Sample = { metricName: string; labels: Record<string, string | number>; value: number };

function register(
  registry: Registry,
  name: string,
  help: string,
  collect: (fullName: string) => Sample[],
): void {
  const fullName = METRIC_PREFIX + name;
  const shape = { name: fullName, help, type: "histogram", aggregator: "sum" };
  const metric = {
    ...shape,
    get: async () => ({ ...shape, values: collect(fullName) }),
    reset: () => {},
  };
  // The registry only calls `get`, but its type demands one of prom-client's own classes.
  registry.registerMetric(metric as unknown as Parameters<Registry["registerMetric"]>[0]);
}

function samples(
  name: string,
  labels: Record<string, string>,
  { bounds, counts, sumMs }: DurationHistogram,
): Sample[] {
  let below = 0;
  const buckets = Array.from(counts, (count, i) => {
    below += count;
    return { metricName: `${name}_bucket`, labels: { ...labels, le: bounds[i] ?? "+Inf" }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sumMs / 1_000 },
    { metricName: `${name}_count`, labels, value: below },
  ];
}
