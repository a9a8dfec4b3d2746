// A worker's side of a caller's limits: it takes tokens from those that the parent has lent it, and asks for more.
import type { Rejection } from "../../rejection.ts";
import type { CallerLimits } from "../caller.ts";
import { type Amount, CallerLimiter } from "./caller-limiter.ts";
import type { Clock } from "./clock.ts";
import type { Lease, LeaseRequest } from "./lease.ts";
import { type Blocked, type Limiter, type RefusalCounts, shareOf } from "./limiter.ts";
import { DailyUsage } from "./usage.ts";

/** After the parent gave less than was needed, it isn't asked again for this long: a flood costs it no more than this. */
const ASK_AGAIN_MS = 10;

const NOTHING: Amount = { events: 0, bytes: 0 };

export interface LeaseSource {
  /** @returns undefined when the parent does not respond */
  request(request: LeaseRequest): Promise<Lease | undefined>;
  /** Returns tokens without asking for others. */
  giveBack(request: LeaseRequest): void;
}

interface Waiting extends Amount {
  resolve(passing: number): void;
}

export class LeasedLimiter implements Limiter {
  readonly #source: LeaseSource;
  readonly #clock: Clock;
  /** As the parent's was when it last replied: what it may have by now. */
  readonly #mirror: CallerLimiter;
  #held = NOTHING;
  #waiting: Waiting[] = [];
  #isAsking = false;
  #askAgainMs = 0;
  #isIdle = false;

  constructor(
    readonly id: string,
    limits: CallerLimits,
    source: LeaseSource,
    clock: Clock,
  ) {
    this.#source = source;
    this.#clock = clock;
    this.#mirror = new CallerLimiter(id, limits, new DailyUsage(clock.unixMs()), clock);
  }

  get limits(): CallerLimits {
    return this.#mirror.limits;
  }

  get refusals(): RefusalCounts {
    return this.#mirror.refusals;
  }

  adjust(limits: CallerLimits): void {
    this.giveBackHeld();
    this.#mirror.adjust(limits);
  }

  take(events: number, bytes: number): number | Promise<number> {
    this.#isIdle = false;
    if (this.#waiting.length === 0 && !this.#isAsking) {
      const passing = this.#passing(events, bytes);
      if (passing === events || this.#isDenied(bytes))
        return this.#spend(passing, shareOf(bytes, passing, events));
    }
    return new Promise((resolve) => {
      this.#waiting.push({ events, bytes, resolve });
      if (!this.#isAsking) void this.#ask();
    });
  }

  check(isBatch: boolean, bytes: number): Blocked | undefined {
    if (this.#isAsking || this.#passing(1, isBatch ? 1 : bytes) > 0) return undefined;
    return this.#mirror.check(isBatch, bytes);
  }

  blocked(events: number, bytes: number): Blocked {
    return this.#mirror.blocked(events, bytes);
  }

  giveBack(events: number, bytes: number): void {
    this.#held = { events: this.#held.events + events, bytes: this.#held.bytes + bytes };
  }

  lines(): string {
    return this.#mirror.linesWith(this.#held.events, Math.floor(this.#held.bytes));
  }

  refuse(blocked: Blocked, events: number): Rejection {
    return this.#mirror.refuse(blocked, events);
  }

  /** To be called from time to time: tokens that were not needed since the last call go back to the parent. */
  giveBackIdle(): void {
    if (this.#isIdle) this.giveBackHeld();
    this.#isIdle = true;
  }

  giveBackHeld(): void {
    const unused = this.#held;
    if (unused.events === 0 && unused.bytes === 0) return;
    this.#held = NOTHING;
    this.#source.giveBack({ caller: this.id, limits: this.limits, unused, needs: NOTHING });
  }

  /** With what is held. */
  #passing(events: number, bytes: number): number {
    const { hasEventLimit, hasByteLimit } = this.#mirror;
    let passing = hasEventLimit ? Math.min(events, this.#held.events) : events;
    if (hasByteLimit && this.#held.bytes < bytes)
      passing = Math.min(passing, Math.floor((this.#held.bytes * events) / bytes));
    return passing;
  }

  #spend(events: number, bytes: number): number {
    const { hasEventLimit, hasByteLimit } = this.#mirror;
    this.#held = {
      events: hasEventLimit ? this.#held.events - events : 0,
      bytes: hasByteLimit ? Math.max(0, this.#held.bytes - bytes) : 0,
    };
    return events;
  }

  /** The parent would give nothing now. */
  #isDenied(bytes: number): boolean {
    return this.#clock.monotonicMs() < this.#askAgainMs || this.#mirror.check(true, bytes) !== undefined;
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    while (this.#waiting.length > 0) {
      const asked = this.#waiting;
      this.#waiting = [];
      const needs = asked.reduce(
        (sum, { events, bytes }) => ({ events: sum.events + events, bytes: sum.bytes + bytes }),
        NOTHING,
      );
      const unused = this.#held;
      this.#held = NOTHING;
      const lease = await this.#source.request({ caller: this.id, limits: this.limits, unused, needs });
      if (lease !== undefined) {
        this.giveBack(lease.granted.events, lease.granted.bytes);
        this.#mirror.sync(lease.state);
      }
      if (lease === undefined || lease.granted.events < needs.events)
        this.#askAgainMs = this.#clock.monotonicMs() + ASK_AGAIN_MS;
      for (const { events, bytes, resolve } of asked) {
        const passing = this.#passing(events, bytes);
        resolve(this.#spend(passing, shareOf(bytes, passing, events)));
      }
    }
    this.#isAsking = false;
  }
}
