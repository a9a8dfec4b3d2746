// When to send again.

/** A longer `Retry-After` counts as this, ms: a day, which a daily quota may ask for, and below what a timer can wait. */
const MAX_RETRY_AFTER_MS = 86_400_000;

/**
 * Retry-After (RFC 9110, section 10.2.3), in seconds or as a date.
 * @param nowMs Unix ms
 * @returns ms from now, 0 for a date in the past; undefined when there is none that can be read
 */
export function retryAfterMs(text: string | null, nowMs: number): number | undefined {
  // Every form of a date names a weekday first. Date.parse alone takes much else.
  const ms = /^\d+$/.test(text ?? "")
    ? Number(text) * 1_000
    : /^[A-Z][a-z]{2,8},? /.test(text ?? "")
      ? Date.parse(text!) - nowMs
      : Number.NaN;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

/**
 * Exponential backoff with full jitter: clients that failed together don't retry together ("Exponential Backoff and
 * Jitter", AWS Architecture Blog, 2015).
 * @param failures how many attempts have failed, from 1
 * @param random from 0 to 1
 * @returns ms
 */
export function backoff(failures: number, firstMs: number, maxMs: number, random: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 31)) * random;
}
