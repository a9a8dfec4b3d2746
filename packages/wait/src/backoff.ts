// How long to pause before the next attempt.

export interface BackoffSettings {
  /** The pause after the first failure, ms; doubled after each further one. */
  firstMs: number;
  /** The longest pause, ms. */
  maxMs: number;
}

/**
 * Exponential backoff with equal jitter: half of the pause is fixed and half is random, so that clients which failed
 * together neither retry together nor retry at once ("Exponential Backoff and Jitter", AWS Architecture Blog, 2015).
 * @param failures how many attempts have failed, from 1
 * @param random from 0 to 1
 * @returns ms
 */
export function backoffMs(
  failures: number,
  { firstMs, maxMs }: BackoffSettings,
  random = Math.random(),
): number {
  // 2^31 times any pause is above every maximum.
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 31));
  return full / 2 + (full / 2) * random;
}
