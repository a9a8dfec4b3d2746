// Generates the load: decides when each request is sent, on which connection, and when the run is over.
import type { Client, CreateClient, FailureKind, ResponseHandler, Target } from "../http/client.ts";
import type { Recorder } from "../measure/recorder.ts";
import { SlotQueue } from "./slot-queue.ts";

export interface LoadPlan {
  readonly target: Target;
  readonly createClient: CreateClient;
  readonly concurrency: number;
  /** `Infinity`: only the duration or the signal ends the run. */
  readonly requests: number;
  readonly durationMs: number | undefined;
  /** Open loop: request n is due n / rate seconds after the start. Undefined: a closed loop. */
  readonly ratePerSecond: number | undefined;
  readonly timeoutMs: number;
  readonly eventsPerRequest: number;
  /** The body of the request whose first event is `first`. */
  readonly body: (first: number) => string;
}

/** Wait after a failed connection attempt. An unreachable server refuses faster than a healthy one responds. */
const RECONNECT_DELAY_MS = 100;
/** After Ctrl-C, requests in flight get this long, or their --timeout if that is shorter. */
const GRACE_MS = 3000;
/** Timers are accurate to about a millisecond: the last part of a wait spins on the event loop. */
const TIMER_SLACK_MS = 2;

/** What the recorder does not count. Times are ms. */
export interface LoadResult {
  /** From the start to the last response. */
  elapsedMs: number;
  /** Open loop: requests that were due when sending stopped, and had found no free connection. */
  overdue: number;
}

/**
 * Runs the plan to its end.
 * @param signal stops sending; requests in flight may still complete
 */
export function runLoad(plan: LoadPlan, recorder: Recorder, signal: AbortSignal): Promise<LoadResult> {
  return new LoadRun(plan, recorder, signal).done;
}

class LoadRun implements ResponseHandler {
  readonly done: Promise<LoadResult>;
  readonly #finish: (result: LoadResult) => void;
  readonly #client: Client;
  readonly #startedAt = performance.now();
  /** ms between requests; 0 in a closed loop. */
  readonly #gapMs: number;
  /** Requests in total. In an open loop the duration determines it. */
  readonly #limit: number;
  /** By slot: when its request was sent, when it was due, and its first event. `sentAt` is 0 while the slot is free. */
  readonly #sentAt: Float64Array;
  readonly #intendedAt: Float64Array;
  readonly #first: Float64Array;
  readonly #idle: SlotQueue;
  #next = 0;
  #inFlight = 0;
  #stopped = false;
  #lastResponseAt = this.#startedAt;
  #overdue = 0;
  readonly #timers: NodeJS.Timeout[] = [];
  #wakeUp: NodeJS.Timeout | NodeJS.Immediate | undefined;

  constructor(
    private readonly plan: LoadPlan,
    private readonly recorder: Recorder,
    private readonly signal: AbortSignal,
  ) {
    const { promise, resolve } = Promise.withResolvers<LoadResult>();
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
    this.#timers.push(setInterval(this.#abortTimedOut, Math.max(1, Math.min(250, timeoutMs / 10))));
    if (durationMs !== undefined) this.#timers.push(setTimeout(this.#stop, durationMs));
    signal.addEventListener("abort", this.#interrupt);
    if (signal.aborted) this.#interrupt();
    this.#sendDue();
  }

  onResponse(slot: number, status: number, body: string): void {
    const now = performance.now();
    const { eventsPerRequest } = this.plan;
    this.recorder.onResponse(
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
    this.#inFlight--;
    this.#lastResponseAt = now;
  }

  /** Sends every request that is due while connections are free, and schedules itself for the next one. */
  readonly #sendDue = (): void => {
    while (!this.#stopped && this.#idle.length > 0) {
      if (this.#next >= this.#limit) {
        this.#stop();
        return;
      }
      const waitMs = this.#gapMs === 0 ? 0 : this.#intendedTime() - performance.now();
      if (waitMs > 0) {
        this.#scheduleSend(waitMs);
        return;
      }
      this.#send(this.#idle.take());
    }
    if (this.#stopped && this.#inFlight === 0) this.#end();
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
    this.#inFlight++;
    this.recorder.onSent(intended === 0 ? 0 : now - intended);
    this.#client.send(slot, body);
  }

  #scheduleSend(inMs: number): void {
    if (this.#wakeUp !== undefined) return;
    const wakeUp = () => {
      this.#wakeUp = undefined;
      this.#sendDue();
    };
    this.#wakeUp = inMs > TIMER_SLACK_MS ? setTimeout(wakeUp, inMs - TIMER_SLACK_MS) : setImmediate(wakeUp);
  }

  readonly #stop = (): void => {
    if (!this.#stopped && this.#gapMs > 0) {
      const due = Math.floor((performance.now() - this.#startedAt) / this.#gapMs) + 1;
      this.#overdue = Math.max(0, Math.min(due, this.#limit) - this.#next);
    }
    this.#stopped = true;
    if (this.#inFlight === 0) this.#end();
  };

  readonly #interrupt = (): void => {
    this.#stop();
    if (this.#inFlight > 0) {
      this.#timers.push(setTimeout(() => this.#abortSentBefore(Infinity, "interrupted"), GRACE_MS));
    }
  };

  readonly #abortTimedOut = (): void =>
    this.#abortSentBefore(performance.now() - this.plan.timeoutMs, "timeout");

  /** Aborts every request that was sent before `sentBefore`. */
  #abortSentBefore(sentBefore: number, kind: FailureKind): void {
    for (let slot = 0; slot < this.plan.concurrency; slot++) {
      const sentAt = this.#sentAt[slot]!;
      if (sentAt === 0 || sentAt > sentBefore) continue;
      this.#client.abort(slot);
      this.onFailure(slot, kind);
    }
  }

  #end(): void {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
    clearTimeout(this.#wakeUp as NodeJS.Timeout);
    this.signal.removeEventListener("abort", this.#interrupt);
    this.#client.close();
    this.#finish({ elapsedMs: this.#lastResponseAt - this.#startedAt, overdue: this.#overdue });
  }
}
