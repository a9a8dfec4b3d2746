// Samples of several rounds → median with its range.

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Rounds that counted. */
  readonly count: number;
}

/** @returns undefined when there is nothing to sum up */
export function summarise(samples: readonly number[]): Summary | undefined {
  if (samples.length === 0) return undefined;
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)!, count: sorted.length };
}

/**
 * Ratios round by round, summed up: what both sides of a round have in common (a slow minute of the machine) cancels.
 * Rounds that only one side has are left out.
 */
export function summariseRatio(
  over: ReadonlyMap<number, number>,
  under: ReadonlyMap<number, number>,
): Summary | undefined {
  const ratios: number[] = [];
  for (const [round, value] of over) {
    const base = under.get(round);
    if (base !== undefined && base > 0) ratios.push(value / base);
  }
  return summarise(ratios);
}
