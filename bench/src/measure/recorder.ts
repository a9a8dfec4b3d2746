// Counts what happens during a run. Rates and shares are computed by the report.
import * as hdr from "hdr-histogram-js";
import type { FailureKind } from "../http/client.ts";
import type { EventSource } from "../load/events.ts";
import { EventOutcome, type Ledger } from "../load/ledger.ts";
import { isRefusal, type OutcomeListener, readBatch, readProblemCode, readSingle } from "./responses.ts";

/** 1 µs to an hour at three significant digits. */
function createHistogram(): hdr.Histogram {
  return hdr.build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 3_600_000_000,
    numberOfSignificantValueDigits: 3,
  });
}

export type Counts<Key = string> = Map<Key, number>;

function add<Key>(counts: Counts<Key>, key: Key, n = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + n);
}

const EXAMPLE_LENGTH = 300;

export class Recorder implements OutcomeListener {
  /** Requests sent, and those for which no connection could be made. */
  sent = 0;
  /** Requests with a complete response, of any status. */
  completed = 0;
  /** Requests without a complete response. */
  failed = 0;
  readonly httpStatus: Counts<number> = new Map();
  /** Requests by kind of failure, including complete responses that can't be used. */
  readonly failures: Counts<FailureKind> = new Map();
  readonly eventStatus: Counts = new Map();
  readonly refusalCodes: Counts = new Map();
  /** The first message or body of each kind of failure and refusal. */
  readonly examples = new Map<string, string>();
  /** Number of events, indexed by `EventOutcome`. */
  readonly outcomes = [0, 0, 0, 0];
  /** µs from the intended send time to the complete response, for statuses below 300. */
  readonly latency = createHistogram();
  /** The same for all other statuses: quick refusals must not lower the latency of accepted events. */
  readonly refusedLatency = createHistogram();
  /** µs from the actual send time. Open loop only: in a closed loop it equals the latency. */
  readonly serviceTime = createHistogram();
  /** The longest delay between the intended and the actual send time. */
  maxSendDelayMs = 0;

  #first = 0;

  constructor(
    private readonly source: EventSource,
    private readonly ledger: Ledger,
    /** Does each request go to /register_events, even with a single event? */
    private readonly isBatch: boolean,
  ) {}

  onSent(lateMs: number): void {
    this.sent++;
    if (lateMs > this.maxSendDelayMs) this.maxSendDelayMs = lateMs;
  }

  /** The response to the request with events `first` to `first + count - 1`. Times in ms. */
  onResponse(
    first: number,
    count: number,
    httpStatus: number,
    body: string,
    latencyMs: number,
    serviceMs: number,
  ): void {
    this.completed++;
    add(this.httpStatus, httpStatus);
    const isSuccess = httpStatus < 300;
    (isSuccess ? this.latency : this.refusedLatency).recordValue(toMicros(latencyMs));
    if (serviceMs !== latencyMs) this.serviceTime.recordValue(toMicros(serviceMs));
    this.#first = first;
    if (isSuccess) {
      if (this.isBatch) this.#readBatch(first, count, body);
      else this.#readSingle(first, body);
      return;
    }
    const code = readProblemCode(body) ?? `http_${httpStatus}`;
    add(this.refusalCodes, code, count);
    this.#keepExample(code, body);
    this.#setOutcomes(first, count, isRefusal(httpStatus) ? EventOutcome.Refused : EventOutcome.Unknown);
  }

  /** A request without a complete response. */
  onFailure(first: number, count: number, kind: FailureKind, reason = ""): void {
    this.failed++;
    this.#fail(kind, reason);
    this.#setOutcomes(first, count, kind === "connect_failed" ? EventOutcome.Unsent : EventOutcome.Unknown);
  }

  /** Called by `readSingle` and `readBatch`. */
  onEvent(index: number, outcome: EventOutcome, status: string): void {
    this.outcomes[outcome]!++;
    this.ledger.setOutcome(this.#first + index, outcome);
    add(this.eventStatus, status);
  }

  /** Events whose outcome has been counted. */
  get settled(): number {
    return this.outcomes.reduce((sum, n) => sum + n, 0);
  }

  #readSingle(first: number, body: string): void {
    const problem = readSingle(body, this.source.idOf(first), this);
    if (problem === undefined) return;
    this.#fail(problem, body);
    this.#setOutcomes(first, 1, EventOutcome.Unknown);
  }

  #readBatch(first: number, count: number, body: string): void {
    // The outcome of an event stays unknown when the response omits it or has another id for it.
    const before = this.settled;
    this.ledger.setOutcomes(first, count, EventOutcome.Unknown);
    const problem = readBatch(body, count, (index) => this.source.idOf(first + index), this);
    if (problem === undefined) return;
    this.#fail(problem, body);
    this.outcomes[EventOutcome.Unknown]! += count - (this.settled - before);
  }

  #fail(kind: FailureKind, message: string): void {
    add(this.failures, kind);
    this.#keepExample(kind, message);
  }

  #keepExample(name: string, message: string): void {
    if (message !== "" && !this.examples.has(name)) this.examples.set(name, message.slice(0, EXAMPLE_LENGTH));
  }

  #setOutcomes(first: number, count: number, outcome: EventOutcome): void {
    this.ledger.setOutcomes(first, count, outcome);
    this.outcomes[outcome]! += count;
  }
}

function toMicros(ms: number): number {
  return Math.max(1, Math.round(ms * 1000));
}
