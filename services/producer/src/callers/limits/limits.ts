// The names of limits, and what follows from a caller's limits alone.
import type { CallerLimits } from "../caller.ts";

/** A limit, by its name in CALLERS_FILE, in metrics, and in the fields RateLimit-Policy and RateLimit. */
export type LimitName = RateName | AddressRateName | "events_per_day" | "bytes_per_day";
type RateName = "events_per_second" | "bytes_per_second";
/** Of one client address. */
type AddressRateName = `address_${RateName}`;

/** Whose limits they are: a caller's, or those of one client address. */
export type Scope = "caller" | "address";

export interface RateNames {
  readonly events: LimitName;
  readonly bytes: LimitName;
}

export const rateNames: Readonly<Record<Scope, RateNames>> = {
  caller: { events: "events_per_second", bytes: "bytes_per_second" },
  address: { events: "address_events_per_second", bytes: "address_bytes_per_second" },
};

export type Unit = "events" | "bytes";

/** A rate with its burst: the events of one second, unless the file has another. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

export function rateOf(limits: CallerLimits, unit: Unit): Rate | undefined {
  const perSecond = unit === "events" ? limits.eventsPerSecond : limits.bytesPerSecond;
  if (perSecond === undefined) return undefined;
  const burst = (unit === "events" ? limits.burstEvents : limits.burstBytes) ?? perSecond;
  return { perSecond, burst };
}

export function hasLimits(limits: CallerLimits): boolean {
  return Object.values(limits).some((limit) => limit !== undefined);
}

export function isSame(a: CallerLimits, b: CallerLimits): boolean {
  return (
    a.eventsPerSecond === b.eventsPerSecond &&
    a.burstEvents === b.burstEvents &&
    a.bytesPerSecond === b.bytesPerSecond &&
    a.burstBytes === b.burstBytes &&
    a.eventsPerDay === b.eventsPerDay &&
    a.bytesPerDay === b.bytesPerDay
  );
}

export function maxOf(limits: CallerLimits, limit: LimitName): number {
  const max = {
    events_per_second: limits.eventsPerSecond,
    bytes_per_second: limits.bytesPerSecond,
    address_events_per_second: limits.eventsPerSecond,
    address_bytes_per_second: limits.bytesPerSecond,
    events_per_day: limits.eventsPerDay,
    bytes_per_day: limits.bytesPerDay,
  }[limit];
  return max ?? 0;
}
