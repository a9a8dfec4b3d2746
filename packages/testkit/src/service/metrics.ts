// Prometheus's text format, as far as tests look at it.

/** Samples by name and labels, such as `events_total{outcome="accepted"}`. */
export function parseMetrics(text: string): Map<string, number> {
  const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    samples.map((sample) => {
      const space = sample.lastIndexOf(" ");
      return [sample.slice(0, space), Number(sample.slice(space + 1))];
    }),
  );
}

/** The sum of a metric's samples over its labels. */
export function sumMetric(samples: ReadonlyMap<string, number>, name: string): number {
  let sum = 0;
  for (const [key, value] of samples) if (key === name || key.startsWith(`${name}{`)) sum += value;
  return sum;
}
