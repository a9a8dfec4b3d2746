// Samples of several rounds → median and range.

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Number of samples. */
  readonly count: number;
}

/** @returns undefined without samples */
export function summarize(samples: readonly number[]): Summary | undefined {
  if (samples.length === 0) return undefined;
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)!, count: sorted.length };
}

/**
 * Summarizes the ratio of two samples of the same round, over all rounds that have both. A slow minute of the machine
 * affects both samples of a round, and cancels out.
 */
export function summarizeRatio(
  numerators: ReadonlyMap<number, number>,
  denominators: ReadonlyMap<number, number>,
): Summary | undefined {
  const ratios: number[] = [];
  for (const [round, numerator] of numerators) {
    const denominator = denominators.get(round);
    if (denominator !== undefined && denominator > 0) ratios.push(numerator / denominator);
  }
  return summarize(ratios);
}
