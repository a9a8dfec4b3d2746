// Prometheus's text format, as far as tests read it.

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

/**
 * The sum of a metric's samples over its labels; 0 where a declared metric has no sample yet.
 * @throws Error for a name that is not declared, which would otherwise pass for 0
 */
export function sumMetric(text: string, name: string): number {
  const histogram = name.replace(/_(bucket|count|sum)$/, "");
  if (!text.includes(`# TYPE ${name} `) && !text.includes(`# TYPE ${histogram} histogram`))
    throw new Error(`there is no metric ${name}`);
  let sum = 0;
  for (const [key, value] of parseMetrics(text)) if (key === name || key.startsWith(`${name}{`)) sum += value;
  return sum;
}
