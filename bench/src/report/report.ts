// Counts → rates, shares and percentiles: the report.
import type { Histogram } from "hdr-histogram-js";
import { EventOutcome } from "../load/ledger.ts";
import type { LoadResult } from "../load/run-load.ts";
import type { Recorder } from "../measure/recorder.ts";
import type { Options } from "../options.ts";
import type { LatencyReport, Report, VerificationReport } from "./schema.ts";

export interface Measurements {
  readonly options: Options;
  readonly startedAt: Date;
  readonly runId: string;
  readonly eventBytes: number;
  readonly interrupted: boolean;
  readonly load: LoadResult;
  readonly cpuMicros: number;
  readonly recorder: Recorder;
  readonly verification: VerificationReport | null;
}

export function toReport(measurements: Measurements): Report {
  const { options, recorder, load, cpuMicros } = measurements;
  const seconds = load.elapsedMs / 1000;
  const [unsent, unknown, accepted, refused] = [
    EventOutcome.Unsent,
    EventOutcome.Unknown,
    EventOutcome.Accepted,
    EventOutcome.Refused,
  ].map((outcome) => recorder.outcomes[outcome]!) as [number, number, number, number];
  return {
    schemaVersion: 2,
    startedAt: measurements.startedAt.toISOString(),
    runId: measurements.runId,
    interrupted: measurements.interrupted,
    setup: {
      url: options.url.href,
      client: options.client,
      concurrency: options.concurrency,
      batch: options.batch ?? null,
      format: options.format,
      durability: options.durability ?? null,
      users: options.users,
      payloadBytes: options.payloadBytes,
      eventBytes: measurements.eventBytes,
      seed: options.seed,
      timeoutMs: options.timeoutMs,
      runtime: `Bun ${Bun.version}`,
    },
    elapsedSeconds: round(seconds),
    requests: {
      sent: recorder.sent,
      completed: recorder.completed,
      perSecond: rate(recorder.completed, seconds),
      byStatus: toRecord(recorder.httpStatus),
    },
    events: {
      offered: recorder.settled,
      accepted,
      refused,
      unknown,
      unsent,
      acceptedPerSecond: rate(accepted, seconds),
      byStatus: toRecord(recorder.eventStatus),
    },
    refusals: toRecord(recorder.refusalCodes),
    errors: toRecord(recorder.failures),
    examples: Object.fromEntries(recorder.examples),
    latencyMs: {
      accepted: toLatency(recorder.latency),
      refused: toLatency(recorder.refusedLatency),
      serviceTime: toLatency(recorder.serviceTime),
    },
    openLoop:
      options.ratePerSecond === undefined
        ? null
        : {
            ratePerSecond: options.ratePerSecond,
            sentPerSecond: rate(recorder.sent, seconds),
            maxSendDelayMs: round(recorder.maxSendDelayMs),
            overdue: load.overdue,
          },
    benchCpu: {
      seconds: round(cpuMicros / 1e6),
      microsecondsPerRequest: recorder.completed === 0 ? 0 : round(cpuMicros / recorder.completed),
      share: seconds === 0 ? 0 : round(cpuMicros / 1e6 / seconds),
    },
    verification: measurements.verification,
  };
}

/** µs → ms; null without samples. */
function toLatency(histogram: Histogram): LatencyReport | null {
  if (histogram.totalCount === 0) return null;
  // A percentile is the upper bound of its bucket: uncapped, p99.9 could exceed the maximum.
  const at = (percentile: number) =>
    round(Math.min(histogram.getValueAtPercentile(percentile), histogram.maxValue) / 1000);
  return {
    count: histogram.totalCount,
    mean: round(histogram.mean / 1000),
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p99_9: at(99.9),
    max: round(histogram.maxValue / 1000),
  };
}

function toRecord(counts: ReadonlyMap<string | number, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => String(a).localeCompare(String(b))));
}

function rate(count: number, seconds: number): number {
  return seconds === 0 ? 0 : round(count / seconds);
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
