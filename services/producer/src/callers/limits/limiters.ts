// The limiters of all callers in one process.
import { ANONYMOUS, type Caller, type CallerLimits } from "../caller.ts";
import { AddressLimiters } from "./address-limiters.ts";
import { CallerLimiter } from "./caller-limiter.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type Lease, type LeaseRequest, leaseSizeOf } from "./lease.ts";
import { LeasedLimiter, type LeaseSource } from "./leased-limiter.ts";
import { type Limiter, type RefusalCounts, shareOf } from "./limiter.ts";
import { hasLimits, isSame } from "./limits.ts";
import { DailyUsage, type UsageStore } from "./usage.ts";

/** How often usage is written to the file, and tokens that a worker doesn't need go back to the parent. */
const TICK_MS = 1_000;

type LimitedCaller = Pick<Caller, "id" | "limits"> & Partial<Pick<Caller, "limitsPerAddress">>;

export interface Limiters {
  /** The caller's limiter, with the limits that the caller has now; undefined when it has none. */
  of(caller: LimitedCaller): Limiter | undefined;
  /** The limits of each address that sends as this caller; undefined when there are none. */
  addressesOf(caller: LimitedCaller): AddressLimiters | undefined;
  /** By caller. */
  refusals(): Iterable<readonly [caller: string, counts: RefusalCounts]>;
  start(): void;
  stop(): void;
}

interface AdjustableLimiter extends Limiter {
  readonly limits: CallerLimits;
  readonly refusals: RefusalCounts;
  adjust(limits: CallerLimits): void;
}

/** Limiters that outlive a reload of CALLERS_FILE, by the id of their caller. */
class LimiterMap<L extends AdjustableLimiter> {
  readonly byCaller = new Map<string, L>();
  /** Only requests without a key are limited by their address: there is one such caller. */
  #addresses: AddressLimiters | undefined;

  constructor(
    private readonly create: (caller: string, limits: CallerLimits) => L,
    private readonly clock: Clock,
  ) {}

  /** Each process has its own: an attacker with many addresses must not be the parent's concern. */
  addressesOf(limits: CallerLimits, next: Limiter | undefined): AddressLimiters {
    this.#addresses ??= new AddressLimiters(limits, next, this.clock);
    this.#addresses.adjust(limits, next);
    return this.#addresses;
  }

  of(caller: string, limits: CallerLimits): L {
    let limiter = this.byCaller.get(caller);
    if (limiter === undefined) {
      limiter = this.create(caller, limits);
      this.byCaller.set(caller, limiter);
    } else if (!isSame(limiter.limits, limits)) limiter.adjust(limits);
    return limiter;
  }

  *refusals(): Iterable<readonly [string, RefusalCounts]> {
    for (const [caller, { refusals }] of this.byCaller) yield [caller, refusals];
    if (this.#addresses !== undefined) yield [ANONYMOUS, this.#addresses.refusals];
  }
}

/** How much of its quota a caller has used today. */
export interface QuotaUse {
  readonly caller: string;
  readonly unit: "events" | "bytes";
  readonly used: number;
  readonly max: number;
}

/** Keeps the limits: in the only process, or in the parent of several workers. */
export class LocalLimiters implements Limiters {
  readonly #daily: DailyUsage;
  readonly #clock: Clock;
  readonly #limiters: LimiterMap<CallerLimiter>;
  #timer: Timer | undefined;

  constructor(store: UsageStore | undefined, clock: Clock = systemClock) {
    this.#clock = clock;
    this.#daily = new DailyUsage(clock.unixMs(), store);
    this.#limiters = new LimiterMap((id, limits) => new CallerLimiter(id, limits, this.#daily, clock), clock);
  }

  of({ id, limits }: LimitedCaller): Limiter | undefined {
    return hasLimits(limits) ? this.#limiters.of(id, limits) : undefined;
  }

  addressesOf(caller: LimitedCaller): AddressLimiters | undefined {
    const { limitsPerAddress: limits } = caller;
    return limits && hasLimits(limits) ? this.#limiters.addressesOf(limits, this.of(caller)) : undefined;
  }

  /** Lends tokens to a worker. What it needs comes first; of more, only what is left. */
  lend({ caller, limits, unused, needs }: LeaseRequest): Lease {
    const limiter = this.#limiters.of(caller, limits);
    limiter.giveBack(unused.events, unused.bytes);
    const events = needs.events === 0 ? 0 : limiter.take(needs.events, needs.bytes);
    const bytes = events === 0 ? 0 : shareOf(needs.bytes, events, needs.events);
    if (events < needs.events || events === 0) return { granted: { events, bytes }, state: limiter.state() };
    const size = leaseSizeOf(limits);
    const more = limiter.takeUpTo(size.events, size.bytes);
    return { granted: { events: events + more.events, bytes: bytes + more.bytes }, state: limiter.state() };
  }

  refusals(): Iterable<readonly [string, RefusalCounts]> {
    return this.#limiters.refusals();
  }

  *quotaUse(): Iterable<QuotaUse> {
    this.#daily.roll(this.#clock.unixMs());
    for (const [caller, { limits, usage }] of this.#limiters.byCaller)
      for (const [unit, max] of [
        ["events", limits.eventsPerDay],
        ["bytes", limits.bytesPerDay],
      ] as const)
        if (max !== undefined) yield { caller, unit, used: usage[unit], max };
  }

  start(): void {
    this.#timer = setInterval(() => this.#daily.flush(), TICK_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#daily.flush();
  }
}

/** Takes tokens that the parent process lends: in one of several workers. */
export class LeasedLimiters implements Limiters {
  readonly #limiters: LimiterMap<LeasedLimiter>;
  #timer: Timer | undefined;

  constructor(source: LeaseSource, clock: Clock = systemClock) {
    this.#limiters = new LimiterMap((id, limits) => new LeasedLimiter(id, limits, source, clock), clock);
  }

  of({ id, limits }: LimitedCaller): Limiter | undefined {
    return hasLimits(limits) ? this.#limiters.of(id, limits) : undefined;
  }

  addressesOf(caller: LimitedCaller): AddressLimiters | undefined {
    const { limitsPerAddress: limits } = caller;
    return limits && hasLimits(limits) ? this.#limiters.addressesOf(limits, this.of(caller)) : undefined;
  }

  refusals(): Iterable<readonly [string, RefusalCounts]> {
    return this.#limiters.refusals();
  }

  start(): void {
    this.#timer = setInterval(() => {
      for (const limiter of this.#limiters.byCaller.values()) limiter.giveBackIdle();
    }, TICK_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const limiter of this.#limiters.byCaller.values()) limiter.giveBackHeld();
  }
}
