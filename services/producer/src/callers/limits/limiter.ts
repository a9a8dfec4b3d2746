// What limits the events of a request, as the steps of the request see it.
import { Rejection } from "../../rejection.ts";
import type { LimitName } from "./limits.ts";

/** The limit that keeps a request out, and for how long. */
export interface Blocked {
  readonly limit: LimitName;
  /** After this time as much of the request passes as the limit ever lets through at once, ms. */
  readonly waitMs: number;
}

export interface Limiter {
  /**
   * Would a request be refused whatever is in its body? Takes nothing.
   * @param isBatch it may hold many events
   */
  check(isBatch: boolean, bytes: number): Blocked | undefined;
  /**
   * Takes tokens for as many events of a request as are within all limits.
   * @param bytes of all the events together; each counts for an equal share
   * @returns how many of the events may pass: the first ones. Without a promise, unless the tokens are with the parent process
   */
  take(events: number, bytes: number): number | Promise<number>;
  /** Why no more events pass now, to be called after `take` let through fewer than it was asked for. */
  blocked(events: number, bytes: number): Blocked;
  /** Gives tokens back, of events that this service could not take. */
  giveBack(events: number, bytes: number): void;
  /** The fields RateLimit-Policy and RateLimit, each with its CR LF. */
  lines(): string;
  /** Counts events that were refused, and makes the refusal. */
  refuse(blocked: Blocked, events: number): Rejection;
}

/** The part of `bytes` that `taken` of `events` count for. */
export function shareOf(bytes: number, taken: number, events: number): number {
  return taken === events ? bytes : Math.ceil((bytes * taken) / events);
}

const UNITS: Readonly<Record<LimitName, string>> = {
  events_per_second: "events a second",
  bytes_per_second: "bytes a second",
  address_events_per_second: "events a second",
  address_bytes_per_second: "bytes a second",
  events_per_day: "events a day (UTC)",
  bytes_per_day: "bytes a day (UTC)",
};

/** @param who whose limit it is: the subject of a sentence */
export function toLimitRejection(who: string, max: number, { limit, waitMs }: Blocked): Rejection {
  const retryAfterSeconds = toSeconds(waitMs);
  const isQuota = limit.endsWith("_per_day");
  return new Rejection(
    isQuota ? "quota_exceeded" : "rate_limited",
    `${who} may send ${max} ${UNITS[limit]}: send it again in ${retryAfterSeconds} s.`,
    { retryAfterSeconds },
  );
}

/** Refusals by limit. Counters: they only grow. */
export type RefusalCounts = Partial<Record<LimitName, { requests: number; events: number }>>;

export function count(refusals: RefusalCounts, limit: LimitName, events: number): void {
  refusals[limit] ??= { requests: 0, events: 0 };
  refusals[limit].requests++;
  refusals[limit].events += events;
}

/** Whole seconds that are not too short. */
export function toSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1_000));
}
