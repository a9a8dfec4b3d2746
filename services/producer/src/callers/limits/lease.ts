// Tokens that the parent process lends to a worker, so that the workers share each caller's limits.
import type { CallerLimits } from "../caller.ts";
import type { Amount, LimiterState } from "./caller-limiter.ts";

export interface LeaseRequest {
  readonly caller: string;
  readonly limits: CallerLimits;
  /** What the worker still holds, and gives back with the request. */
  readonly unused: Amount;
  /** Of the requests that wait. */
  readonly needs: Amount;
}

export interface Lease {
  readonly granted: Amount;
  /** What the parent has left. */
  readonly state: LimiterState;
}

/** A worker gets as much beyond its need as the rate yields in this time. */
const LEASE_SECONDS = 0.1;
/** Without a rate: a part of the quota, up to a number. */
const LEASE_SHARE_OF_QUOTA = 1 / 10_000;
const MAX_LEASE_OF_QUOTA: Amount = { events: 1_000, bytes: 1_000_000 };

/** How much more than it needs a worker gets at once: at most so much of a caller's limits is held by it unused. */
export function leaseSizeOf({
  eventsPerSecond,
  bytesPerSecond,
  eventsPerDay,
  bytesPerDay,
}: CallerLimits): Amount {
  return {
    events: sizeOf(eventsPerSecond, eventsPerDay, MAX_LEASE_OF_QUOTA.events),
    bytes: sizeOf(bytesPerSecond, bytesPerDay, MAX_LEASE_OF_QUOTA.bytes),
  };
}

function sizeOf(perSecond: number | undefined, perDay: number | undefined, max: number): number {
  const ofRate = perSecond === undefined ? max : perSecond * LEASE_SECONDS;
  const ofQuota = perDay === undefined ? Infinity : perDay * LEASE_SHARE_OF_QUOTA;
  return perSecond === undefined && perDay === undefined ? 0 : Math.floor(Math.min(ofRate, ofQuota));
}
