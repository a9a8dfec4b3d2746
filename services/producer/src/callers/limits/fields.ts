// The fields RateLimit-Policy and RateLimit, as draft-ietf-httpapi-ratelimit-headers-11 (May 2026) has them: lists of
// structured fields (RFC 9651), whose items name a limit.
import type { CallerLimits } from "../caller.ts";
import { toSeconds } from "./limiter.ts";
import { type LimitName, type Rate, type RateNames, rateOf } from "./limits.ts";

const DAY_SECONDS = 86_400;

/** Section 3.1.2: the registry has no unit for events, which count as requests do. */
const BYTES = ';qu="content-bytes"';

export function join(items: string, item: string): string {
  return items === "" ? item : `${items}, ${item}`;
}

/** The same for all responses, with its CR LF. */
export function toPolicyLine(limits: CallerLimits, names: RateNames): string {
  const [events, bytes] = [rateOf(limits, "events"), rateOf(limits, "bytes")];
  const { eventsPerDay, bytesPerDay } = limits;
  const items = [
    events && toRatePolicy(names.events, events, ""),
    bytes && toRatePolicy(names.bytes, bytes, BYTES),
    eventsPerDay && `"events_per_day";q=${eventsPerDay};w=${DAY_SECONDS}`,
    bytesPerDay && `"bytes_per_day";q=${bytesPerDay}${BYTES};w=${DAY_SECONDS}`,
  ];
  return `RateLimit-Policy: ${items.filter(Boolean).join(", ")}\r\n`;
}

/** The window is the time in which an empty bucket fills, in whole seconds; the quota is what the rate yields in it. */
function toRatePolicy(limit: LimitName, { perSecond, burst }: Rate, unit: string): string {
  const seconds = Math.max(1, Math.ceil(burst / perSecond));
  return `"${limit}";q=${Math.floor(perSecond * seconds)}${unit};w=${seconds}`;
}

/**
 * The effective window is the time in which the rate makes good what is available: a client that spreads what is available
 * over it keeps to the rate. Of an empty bucket it is the time until its first token.
 */
export function toRateItem(limit: LimitName, tokens: number, { perSecond }: Rate): string {
  const available = Math.floor(tokens);
  const windowMs = ((available > 0 ? available : 1 - tokens) * 1_000) / perSecond;
  return toItem(limit, available, toSeconds(windowMs));
}

export function toItem(limit: LimitName, available: number, seconds: number): string {
  return `"${limit}";r=${Math.max(0, available)};t=${seconds}`;
}
