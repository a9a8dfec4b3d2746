// The Retry-After header (RFC 9110, 10.2.3).

/**
 * @param nowMs Unix ms
 * @returns ms from now, 0 for a date in the past; undefined when there is none that can be read
 */
export function retryAfterMs(text: string | null, nowMs: number): number | undefined {
  if (text === null) return undefined;
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1_000;
  // Every form of an HTTP date names a weekday first. Date.parse alone takes much else.
  if (!/^[A-Z][a-z]{2,8},? /.test(text)) return undefined;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : Math.max(atMs - nowMs, 0);
}
