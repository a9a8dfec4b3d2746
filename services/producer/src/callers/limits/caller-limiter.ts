// The limits of one caller, kept in this process: two token buckets and two quotas, each of them optional.
import type { Rejection } from "../../rejection.ts";
import { ANONYMOUS, type CallerLimits } from "../caller.ts";
import type { Clock } from "./clock.ts";
import { LimitFields } from "./fields.ts";
import {
  type Blocked,
  count,
  type Limiter,
  type RefusalCounts,
  shareOf,
  toLimitRejection,
} from "./limiter.ts";
import { maxOf, type Rate, type RateNames, rateNames, rateOf, type Scope, type Unit } from "./limits.ts";
import { TokenBucket } from "./token-bucket.ts";
import type { CountedUsage, DailyUsage, Usage } from "./usage.ts";

/** A number of tokens of each unit. */
export interface Amount {
  readonly events: number;
  readonly bytes: number;
}

/** What the buckets hold, and what was used today. */
export interface LimiterState extends Amount {
  readonly used: Amount;
}

/** The subject of a sentence about the caller. */
function toSubject(id: string): string {
  return id === ANONYMOUS ? "All callers without a key together" : `Caller ${id}`;
}

export class CallerLimiter implements Limiter {
  readonly refusals: RefusalCounts = {};
  readonly #clock: Clock;
  readonly #daily: DailyUsage;
  readonly #usage: CountedUsage;
  readonly #names: RateNames;
  #limits!: CallerLimits;
  #events: TokenBucket | undefined;
  #bytes: TokenBucket | undefined;
  #eventsRate: Rate | undefined;
  #bytesRate: Rate | undefined;
  #hasQuota = false;
  #fields!: LimitFields;

  constructor(
    readonly id: string,
    limits: CallerLimits,
    daily: DailyUsage,
    clock: Clock,
    scope: Scope = "caller",
  ) {
    this.#clock = clock;
    this.#names = rateNames[scope];
    this.#daily = daily;
    this.#usage = daily.of(id);
    this.adjust(limits);
  }

  get limits(): CallerLimits {
    return this.#limits;
  }

  get usage(): Readonly<Usage> {
    return this.#usage;
  }

  get hasEventLimit(): boolean {
    return this.#events !== undefined || this.#limits.eventsPerDay !== undefined;
  }

  get hasByteLimit(): boolean {
    return this.#bytes !== undefined || this.#limits.bytesPerDay !== undefined;
  }

  /** Changes the limits: what the buckets hold, and what was used today, stays. */
  adjust(limits: CallerLimits): void {
    this.#limits = limits;
    this.#eventsRate = rateOf(limits, "events");
    this.#bytesRate = rateOf(limits, "bytes");
    this.#events = this.#toBucket(this.#events, this.#eventsRate);
    this.#bytes = this.#toBucket(this.#bytes, this.#bytesRate);
    this.#hasQuota = limits.eventsPerDay !== undefined || limits.bytesPerDay !== undefined;
    if (this.#hasQuota) this.#daily.open();
    this.#fields = new LimitFields(limits, this.#names);
  }

  #toBucket(bucket: TokenBucket | undefined, rate: Rate | undefined): TokenBucket | undefined {
    if (rate === undefined) return undefined;
    const nowMs = this.#clock.monotonicMs();
    if (bucket === undefined) return new TokenBucket(rate.perSecond, rate.burst, nowMs);
    bucket.adjust(rate.perSecond, rate.burst, nowMs);
    return bucket;
  }

  take(events: number, bytes: number): number {
    const passing = this.#passing(events, bytes);
    if (passing > 0) this.#spend(passing, shareOf(bytes, passing, events));
    return passing;
  }

  /** Takes up to this many of each unit, one independently of the other. */
  takeUpTo(events: number, bytes: number): Amount {
    const taken = {
      events: Math.min(events, this.#left("events")),
      bytes: Math.min(bytes, this.#left("bytes")),
    };
    this.#spend(taken.events, taken.bytes);
    return taken;
  }

  check(isBatch: boolean, bytes: number): Blocked | undefined {
    if (this.#passing(1, isBatch ? Math.min(1, bytes) : bytes) > 0) return undefined;
    return this.blocked(isBatch ? this.#batchToWaitFor() : 1, bytes);
  }

  /** How many events a batch has is in its body. When a second's worth may pass, the others get a result each. */
  #batchToWaitFor(): number {
    const rate = this.#eventsRate;
    return rate === undefined ? 1 : Math.max(1, Math.min(rate.perSecond, rate.burst));
  }

  blocked(events: number, bytes: number): Blocked {
    const nowMs = this.#clock.monotonicMs();
    const { eventsPerDay, bytesPerDay } = this.#limits;
    const { events: usedEvents, bytes: usedBytes } = this.#usage;
    const waits: Blocked[] = [];
    if (this.#hasQuota) this.#daily.roll(this.#clock.unixMs());
    if (this.#events !== undefined)
      waits.push({ limit: this.#names.events, waitMs: this.#events.waitMs(events, nowMs) });
    if (this.#bytes !== undefined)
      waits.push({ limit: this.#names.bytes, waitMs: this.#bytes.waitMs(bytes, nowMs) });
    if (eventsPerDay !== undefined && usedEvents >= eventsPerDay)
      waits.push({ limit: "events_per_day", waitMs: this.#daily.msUntilTomorrow });
    if (bytesPerDay !== undefined && usedBytes > 0 && usedBytes + bytes / events > bytesPerDay)
      waits.push({ limit: "bytes_per_day", waitMs: this.#daily.msUntilTomorrow });
    // None waits when the caller's quota is with another process, which gives it back soon.
    const first: Blocked = {
      limit: eventsPerDay === undefined ? "bytes_per_day" : "events_per_day",
      waitMs: 0,
    };
    return waits.reduce(
      (longest, wait) => (wait.waitMs > longest.waitMs ? wait : longest),
      waits[0] ?? first,
    );
  }

  giveBack(events: number, bytes: number): void {
    this.#events?.giveBack(events);
    this.#bytes?.giveBack(bytes);
    if (this.#hasQuota) this.#usage.add(-events, -bytes);
  }

  lines(): string {
    return this.linesWith(0, 0);
  }

  /** @param events that are available beside those here; the same for `bytes` */
  linesWith(events: number, bytes: number): string {
    const { eventsPerDay = 0, bytesPerDay = 0 } = this.#limits;
    return this.#fields.linesFor(
      (this.#events?.latest ?? 0) + events,
      (this.#bytes?.latest ?? 0) + bytes,
      eventsPerDay - this.#usage.events + events,
      bytesPerDay - this.#usage.bytes + bytes,
      this.#daily.msUntilTomorrow,
    );
  }

  refuse(blocked: Blocked, events: number): Rejection {
    count(this.refusals, blocked.limit, events);
    return toLimitRejection(toSubject(this.id), maxOf(this.#limits, blocked.limit), blocked);
  }

  /** For `sync` in another process. */
  state(): LimiterState {
    const nowMs = this.#clock.monotonicMs();
    const { events, bytes } = this.#usage;
    return {
      events: this.#events?.available(nowMs) ?? 0,
      bytes: this.#bytes?.available(nowMs) ?? 0,
      used: { events, bytes },
    };
  }

  /** Takes over the state of another limiter with the same limits. */
  sync({ events, bytes, used }: LimiterState): void {
    const nowMs = this.#clock.monotonicMs();
    this.#events?.set(events, nowMs);
    this.#bytes?.set(bytes, nowMs);
    if (this.#hasQuota) this.#usage.set(used);
  }

  #passing(events: number, bytes: number): number {
    const nowMs = this.#clock.monotonicMs();
    let passing = events;
    if (this.#events !== undefined) passing = Math.min(passing, this.#events.whole(nowMs));
    if (this.#bytes !== undefined && this.#bytes.available(nowMs) < bytes)
      passing = Math.min(passing, withinBytes(events, bytes, this.#bytes.latest, this.#bytes.isFull(nowMs)));
    return this.#hasQuota ? Math.min(passing, this.#withinQuota(events, bytes)) : passing;
  }

  #withinQuota(events: number, bytes: number): number {
    this.#daily.roll(this.#clock.unixMs());
    const { eventsPerDay = Infinity, bytesPerDay } = this.#limits;
    const { events: usedEvents, bytes: usedBytes } = this.#usage;
    const passing = Math.max(0, Math.min(events, eventsPerDay - usedEvents));
    return bytesPerDay === undefined
      ? passing
      : Math.min(passing, withinBytes(events, bytes, bytesPerDay - usedBytes, usedBytes === 0));
  }

  #left(unit: Unit): number {
    const bucket = unit === "events" ? this.#events : this.#bytes;
    const perDay = unit === "events" ? this.#limits.eventsPerDay : this.#limits.bytesPerDay;
    const quota = perDay === undefined ? Infinity : Math.max(0, perDay - this.#usage[unit]);
    return Math.min(bucket?.whole(this.#clock.monotonicMs()) ?? Infinity, quota);
  }

  #spend(events: number, bytes: number): void {
    this.#events?.take(events);
    this.#bytes?.take(bytes);
    if (this.#hasQuota) this.#usage.add(events, bytes);
  }
}

/** How many of the events have room. An event larger than all the room there can be has it while nothing else is there. */
function withinBytes(events: number, bytes: number, available: number, isUnused: boolean): number {
  if (available >= bytes) return events;
  const passing = Math.max(0, Math.floor((available * events) / bytes));
  return passing === 0 && isUnused ? 1 : passing;
}
