// How long to wait before the next try.

export interface BackoffSettings {
  /** Before the second try, ms; doubled each time. */
  firstMs: number;
  /** The most, ms. */
  maxMs: number;
}

/**
 * Exponential backoff with equal jitter: half of the time is fixed, half by chance, so that what failed together isn't
 * tried again together and still not at once ("Exponential Backoff and Jitter", AWS Architecture Blog, 2015).
 * @param failures how many tries have failed, from 1
 * @param random from 0 to 1
 */
export function backoffMs(
  failures: number,
  { firstMs, maxMs }: BackoffSettings,
  random = Math.random(),
): number {
  // Beyond 2^31 the cap holds anyway.
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 31));
  return full / 2 + (full / 2) * random;
}

/** Waits, or less when the signal is aborted. @returns false when it was */
export function waitMs(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const end = (isDone: boolean) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      resolve(isDone);
    };
    const onAbort = () => end(false);
    const timer = setTimeout(end, ms, true);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
