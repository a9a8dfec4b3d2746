// Fires: decides when each request goes out, on which connection, and when it is over.
import type { AnswerHandler, Client, CreateClient, FailureKind, Target } from "../http/client.ts";
import type { Recorder } from "../measure/recorder.ts";
import { SlotQueue } from "./slot-queue.ts";

export interface FirePlan {
  readonly target: Target;
  readonly createClient: CreateClient;
  readonly concurrency: number;
  /** `Infinity`: only the time or the signal ends it. */
  readonly requests: number;
  readonly durationMs: number | undefined;
  /** Open loop: request n is meant to go out n / rate seconds after the start. Undefined: a closed loop. */
  readonly ratePerSecond: number | undefined;
  readonly timeoutMs: number;
  readonly eventsPerRequest: number;
  /** The body of the request whose first event is `first`. */
  readonly body: (first: number) => string;
}

/** A server that is away answers "no" faster than it could answer "yes": the slot waits so long before it tries again. */
const RECONNECT_DELAY_MS = 100;
/** After Ctrl-C, requests under way get this long, or their --timeout if that is shorter. */
const GRACE_MS = 3000;
/** Timers are good to a millisecond or so; the rest of a wait is spent turning the event loop. */
const TIMER_SLACK_MS = 2;

/** What only the firing side knows. Times are ms. */
export interface FireResult {
  /** From the start to the last answer. */
  elapsedMs: number;
  /** Open loop: requests that were due when firing stopped and found no free connection. */
  overdue: number;
}

/**
 * Runs the plan to its end.
 * @param signal stops sending; what is under way is waited for
 */
export function fire(plan: FirePlan, recorder: Recorder, signal: AbortSignal): Promise<FireResult> {
  return new Fire(plan, recorder, signal).done;
}

class Fire implements AnswerHandler {
  readonly done: Promise<FireResult>;
  readonly #finish: (result: FireResult) => void;
  readonly #client: Client;
  readonly #startedAt = performance.now();
  /** ms between requests; 0 in a closed loop. */
  readonly #gapMs: number;
  /** Requests in all. An open loop knows how many fit into its duration. */
  readonly #limit: number;
  /** By slot: when its request went out, when it was to, and its first event. `sentAt` is 0 while the slot is free. */
  readonly #sentAt: Float64Array;
  readonly #intendedAt: Float64Array;
  readonly #first: Float64Array;
  readonly #idle: SlotQueue;
  #next = 0;
  #underWay = 0;
  #stopped = false;
  #lastAnswerAt = this.#startedAt;
  #overdue = 0;
  readonly #timers: NodeJS.Timeout[] = [];
  #turn: NodeJS.Timeout | NodeJS.Immediate | undefined;

  constructor(
    private readonly plan: FirePlan,
    private readonly recorder: Recorder,
    private readonly signal: AbortSignal,
  ) {
    const { promise, resolve } = Promise.withResolvers<FireResult>();
    this.done = promise;
    this.#finish = resolve;
    const { concurrency, timeoutMs, durationMs, ratePerSecond } = plan;
    this.#gapMs = ratePerSecond === undefined ? 0 : 1000 / ratePerSecond;
    this.#limit = Math.min(
      plan.requests,
      durationMs === undefined || this.#gapMs === 0 ? Infinity : Math.ceil(durationMs / this.#gapMs),
    );
    this.#sentAt = new Float64Array(concurrency);
    this.#intendedAt = new Float64Array(concurrency);
    this.#first = new Float64Array(concurrency);
    this.#idle = new SlotQueue(concurrency);
    this.#client = plan.createClient(plan.target, concurrency, this);
    this.#timers.push(setInterval(this.#cutLate, Math.max(1, Math.min(250, timeoutMs / 10))));
    if (durationMs !== undefined) this.#timers.push(setTimeout(this.#stop, durationMs));
    signal.addEventListener("abort", this.#interrupt);
    if (signal.aborted) this.#interrupt();
    this.#sendDue();
  }

  onAnswer(slot: number, status: number, body: string): void {
    const now = performance.now();
    const { eventsPerRequest } = this.plan;
    this.recorder.onAnswer(
      this.#first[slot]!,
      eventsPerRequest,
      status,
      body,
      now - this.#intendedAt[slot]!,
      now - this.#sentAt[slot]!,
    );
    this.#free(slot, now);
    this.#idle.push(slot);
    this.#sendDue();
  }

  onFailure(slot: number, kind: FailureKind, reason?: string): void {
    this.recorder.onFailure(this.#first[slot]!, this.plan.eventsPerRequest, kind, reason);
    this.#free(slot, performance.now());
    const reuse = () => {
      this.#idle.push(slot);
      this.#sendDue();
    };
    if (kind === "connect_failed" && !this.#stopped) setTimeout(reuse, RECONNECT_DELAY_MS);
    else reuse();
  }

  #free(slot: number, now: number): void {
    this.#sentAt[slot] = 0;
    this.#underWay--;
    this.#lastAnswerAt = now;
  }

  /** Sends whatever is due and has a free connection, and plans to be called again for what is due later. */
  readonly #sendDue = (): void => {
    while (!this.#stopped && this.#idle.length > 0) {
      if (this.#next >= this.#limit) {
        this.#stop();
        return;
      }
      const waitMs = this.#gapMs === 0 ? 0 : this.#intendedTime() - performance.now();
      if (waitMs > 0) {
        this.#planTurn(waitMs);
        return;
      }
      this.#send(this.#idle.take());
    }
    if (this.#stopped && this.#underWay === 0) this.#end();
  };

  #intendedTime(): number {
    return this.#startedAt + this.#next * this.#gapMs;
  }

  #send(slot: number): void {
    const intended = this.#gapMs > 0 ? this.#intendedTime() : 0;
    const first = this.#next++ * this.plan.eventsPerRequest;
    const body = this.plan.body(first);
    const now = performance.now();
    this.#first[slot] = first;
    this.#sentAt[slot] = now;
    this.#intendedAt[slot] = intended || now;
    this.#underWay++;
    this.recorder.onSent(intended === 0 ? 0 : now - intended);
    this.#client.send(slot, body);
  }

  #planTurn(inMs: number): void {
    if (this.#turn !== undefined) return;
    const turn = () => {
      this.#turn = undefined;
      this.#sendDue();
    };
    this.#turn = inMs > TIMER_SLACK_MS ? setTimeout(turn, inMs - TIMER_SLACK_MS) : setImmediate(turn);
  }

  readonly #stop = (): void => {
    if (!this.#stopped && this.#gapMs > 0) {
      const due = Math.floor((performance.now() - this.#startedAt) / this.#gapMs) + 1;
      this.#overdue = Math.max(0, Math.min(due, this.#limit) - this.#next);
    }
    this.#stopped = true;
    if (this.#underWay === 0) this.#end();
  };

  readonly #interrupt = (): void => {
    this.#stop();
    if (this.#underWay > 0) {
      this.#timers.push(setTimeout(() => this.#cut(Infinity, "interrupted"), GRACE_MS));
    }
  };

  readonly #cutLate = (): void => this.#cut(performance.now() - this.plan.timeoutMs, "timeout");

  /** Gives up every request that went out before `sentBefore`. */
  #cut(sentBefore: number, kind: FailureKind): void {
    for (let slot = 0; slot < this.plan.concurrency; slot++) {
      const sentAt = this.#sentAt[slot]!;
      if (sentAt === 0 || sentAt > sentBefore) continue;
      this.#client.abandon(slot);
      this.onFailure(slot, kind);
    }
  }

  #end(): void {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
    clearTimeout(this.#turn as NodeJS.Timeout);
    this.signal.removeEventListener("abort", this.#interrupt);
    this.#client.close();
    this.#finish({ elapsedMs: this.#lastAnswerAt - this.#startedAt, overdue: this.#overdue });
  }
}
