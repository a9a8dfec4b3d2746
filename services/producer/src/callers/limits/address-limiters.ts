// Limits for each client address, for requests without a key. The table of addresses has a fixed size.
import type { Rejection } from "../../rejection.ts";
import type { CallerLimits } from "../caller.ts";
import { CallerLimiter } from "./caller-limiter.ts";
import type { Clock } from "./clock.ts";
import {
  type Blocked,
  count,
  type Limiter,
  type RefusalCounts,
  shareOf,
  toLimitRejection,
} from "./limiter.ts";
import { isSame, maxOf } from "./limits.ts";
import { networkOf } from "./network.ts";
import { DailyUsage } from "./usage.ts";

/** Of each of two generations, which together hold the addresses that were seen last. */
const MAX_ADDRESSES = 8_192;

export class AddressLimiters {
  readonly refusals: RefusalCounts = {};
  #young = new Map<string, AddressLimiter>();
  #old = new Map<string, AddressLimiter>();
  readonly #daily: DailyUsage;

  /** @param next what all addresses share beside their own limits */
  constructor(
    public limits: CallerLimits,
    public next: Limiter | undefined,
    private readonly clock: Clock,
  ) {
    this.#daily = new DailyUsage(clock.unixMs());
  }

  /** How many addresses the table holds. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /**
   * Of an IPv4 address, or of the /64 network of an IPv6 address, of which one client usually has all. An address that was
   * not seen among the last thousands has a full bucket again.
   */
  of(address: string): Limiter {
    const network = networkOf(address);
    let limiter = this.#young.get(network);
    if (limiter === undefined) {
      limiter = this.#old.get(network) ?? this.#create();
      if (this.#young.size >= MAX_ADDRESSES) {
        this.#old = this.#young;
        this.#young = new Map();
      }
      this.#young.set(network, limiter);
    }
    limiter.update();
    return limiter;
  }

  /** Changes the limits; what is in the buckets stays. */
  adjust(limits: CallerLimits, next: Limiter | undefined): void {
    if (!isSame(limits, this.limits)) this.limits = limits;
    this.next = next;
  }

  #create(): AddressLimiter {
    return new AddressLimiter(this, new CallerLimiter("", this.limits, this.#daily, this.clock, "address"));
  }
}

/** An address's own limits first, then those that it shares. */
class AddressLimiter implements Limiter {
  constructor(
    private readonly table: AddressLimiters,
    private readonly own: CallerLimiter,
  ) {}

  update(): void {
    if (this.own.limits !== this.table.limits) this.own.adjust(this.table.limits);
  }

  check(isBatch: boolean, bytes: number): Blocked | undefined {
    return this.own.check(isBatch, bytes) ?? this.table.next?.check(isBatch, bytes);
  }

  take(events: number, bytes: number): number | Promise<number> {
    const passing = this.own.take(events, bytes);
    const { next } = this.table;
    if (passing === 0 || next === undefined) return passing;
    const share = shareOf(bytes, passing, events);
    const taken = next.take(passing, share);
    return typeof taken === "number"
      ? this.#settle(taken, passing, share)
      : taken.then((settled) => this.#settle(settled, passing, share));
  }

  /** What the shared limits refused costs the address nothing. */
  #settle(taken: number, passing: number, bytes: number): number {
    if (taken < passing) this.own.giveBack(passing - taken, bytes - shareOf(bytes, taken, passing));
    return taken;
  }

  blocked(events: number, bytes: number): Blocked {
    const own = this.own.blocked(events, bytes);
    const shared = this.table.next?.blocked(events, bytes);
    return shared === undefined || own.waitMs >= shared.waitMs ? own : shared;
  }

  giveBack(events: number, bytes: number): void {
    this.own.giveBack(events, bytes);
    this.table.next?.giveBack(events, bytes);
  }

  lines(): string {
    return this.own.lines() + (this.table.next?.lines() ?? "");
  }

  refuse(blocked: Blocked, events: number): Rejection {
    if (!blocked.limit.startsWith("address_")) return this.table.next!.refuse(blocked, events);
    count(this.table.refusals, blocked.limit, events);
    return toLimitRejection("An address without a key", maxOf(this.table.limits, blocked.limit), blocked);
  }
}
