// Counts what happens during a run. No arithmetic beyond adding up: shares and rates are the report's.
import * as hdr from "hdr-histogram-js";
import type { FailureKind } from "../http/client.ts";
import type { EventSource } from "../load/events.ts";
import { Fate, type Ledger } from "../load/ledger.ts";
import { type EventOutcomes, isRefusal, readBatch, readProblemCode, readSingle } from "./answers.ts";

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

export class Recorder implements EventOutcomes {
  /** Requests that went out, or tried to. */
  sent = 0;
  answered = 0;
  failed = 0;
  readonly httpStatus: Counts<number> = new Map();
  /** Requests by what went wrong, those included whose answer came and can't be used. */
  readonly failures: Counts<FailureKind> = new Map();
  readonly eventStatus: Counts = new Map();
  readonly refusalCodes: Counts = new Map();
  /** The first of each kind of failure and refusal, in the words that came with it. */
  readonly examples = new Map<string, string>();
  /** Events by fate; index by `Fate`. */
  readonly fates = [0, 0, 0, 0];
  /** µs from when the request was to go out to its whole answer, of requests answered below 300. */
  readonly latency = createHistogram();
  /** The same of all other answers: a quick no must not flatter the figures of a yes. */
  readonly refusedLatency = createHistogram();
  /** µs from when the request really went out. Open loop only; in a closed loop the two are the same. */
  readonly serviceTime = createHistogram();
  /** The most by which a request went out later than intended. */
  latestSendMs = 0;

  #first = 0;

  constructor(
    private readonly source: EventSource,
    private readonly ledger: Ledger,
    /** Is each request a batch, with results, even if of one event? */
    private readonly isBatch: boolean,
  ) {}

  onSent(lateMs: number): void {
    this.sent++;
    if (lateMs > this.latestSendMs) this.latestSendMs = lateMs;
  }

  /** An answer to the request with events `first` to `first + count - 1`. Times in ms. */
  onAnswer(
    first: number,
    count: number,
    httpStatus: number,
    body: string,
    latencyMs: number,
    serviceMs: number,
  ): void {
    this.answered++;
    add(this.httpStatus, httpStatus);
    const taken = httpStatus < 300;
    (taken ? this.latency : this.refusedLatency).recordValue(toMicros(latencyMs));
    if (serviceMs !== latencyMs) this.serviceTime.recordValue(toMicros(serviceMs));
    this.#first = first;
    if (taken) {
      if (this.isBatch) this.#readBatch(first, count, body);
      else this.#readSingle(first, body);
      return;
    }
    const code = readProblemCode(body) ?? `http_${httpStatus}`;
    add(this.refusalCodes, code, count);
    this.#keepExample(code, body);
    this.#setFates(first, count, isRefusal(httpStatus) ? Fate.Refused : Fate.Unknown);
  }

  /** No answer, for this reason. */
  onFailure(first: number, count: number, kind: FailureKind, reason = ""): void {
    this.failed++;
    this.#fail(kind, reason);
    this.#setFates(first, count, kind === "connect_failed" ? Fate.Unsent : Fate.Unknown);
  }

  /** @internal called by the readers of answers */
  onEvent(index: number, fate: Fate, status: string): void {
    this.fates[fate]!++;
    this.ledger.setFate(this.#first + index, fate);
    add(this.eventStatus, status);
  }

  /** Events whose fate has been counted. */
  get settled(): number {
    return this.fates.reduce((sum, n) => sum + n, 0);
  }

  #readSingle(first: number, body: string): void {
    const problem = readSingle(body, this.source.idOf(first), this);
    if (problem === undefined) return;
    this.#fail(problem, body);
    this.#setFates(first, 1, Fate.Unknown);
  }

  #readBatch(first: number, count: number, body: string): void {
    // An answer that leaves an event out, or is about another, leaves that event's fate open.
    const before = this.settled;
    this.ledger.setFates(first, count, Fate.Unknown);
    const problem = readBatch(body, count, (index) => this.source.idOf(first + index), this);
    if (problem === undefined) return;
    this.#fail(problem, body);
    this.fates[Fate.Unknown]! += count - (this.settled - before);
  }

  #fail(kind: FailureKind, words: string): void {
    add(this.failures, kind);
    this.#keepExample(kind, words);
  }

  #keepExample(name: string, words: string): void {
    if (words !== "" && !this.examples.has(name)) this.examples.set(name, words.slice(0, EXAMPLE_LENGTH));
  }

  #setFates(first: number, count: number, fate: Fate): void {
    this.ledger.setFates(first, count, fate);
    this.fates[fate]! += count;
  }
}

function toMicros(ms: number): number {
  return Math.max(1, Math.round(ms * 1000));
}
