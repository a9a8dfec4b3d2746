// Counts → shares, rates and percentiles: the report that is printed and written.
import type { Histogram } from "hdr-histogram-js";
import type { FireResult } from "../load/fire.ts";
import { Fate } from "../load/ledger.ts";
import type { Recorder } from "../measure/recorder.ts";
import type { Options } from "../options.ts";
import type { LatencyReport, Report, VerificationReport } from "./schema.ts";

/** What a report is made of. */
export interface Measured {
  readonly options: Options;
  readonly startedAt: Date;
  readonly runId: string;
  readonly eventBytes: number;
  readonly interrupted: boolean;
  readonly fired: FireResult;
  readonly cpuMicros: number;
  readonly recorder: Recorder;
  readonly verification: VerificationReport | null;
}

export function toReport(measured: Measured): Report {
  const { options, recorder, fired, cpuMicros } = measured;
  const seconds = fired.elapsedMs / 1000;
  const [unsent, unknown, accepted, refused] = [Fate.Unsent, Fate.Unknown, Fate.Accepted, Fate.Refused].map(
    (fate) => recorder.fates[fate]!,
  ) as [number, number, number, number];
  return {
    schemaVersion: 1,
    startedAt: measured.startedAt.toISOString(),
    runId: measured.runId,
    interrupted: measured.interrupted,
    setup: {
      url: options.url.href,
      client: options.client,
      concurrency: options.concurrency,
      batch: options.batch ?? null,
      format: options.format,
      durability: options.durability ?? null,
      users: options.users,
      payloadBytes: options.payloadBytes,
      eventBytes: measured.eventBytes,
      seed: options.seed,
      timeoutMs: options.timeoutMs,
      runtime: `Bun ${Bun.version}`,
    },
    elapsedSeconds: round(seconds),
    requests: {
      sent: recorder.sent,
      answered: recorder.answered,
      perSecond: rate(recorder.answered, seconds),
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
            latestSendMs: round(recorder.latestSendMs),
            overdue: fired.overdue,
          },
    benchCpu: {
      seconds: round(cpuMicros / 1e6),
      microsecondsPerRequest: recorder.answered === 0 ? 0 : round(cpuMicros / recorder.answered),
      share: seconds === 0 ? 0 : round(cpuMicros / 1e6 / seconds),
    },
    verification: measured.verification,
  };
}

/** µs in, ms out; null when nothing was measured. */
function toLatency(histogram: Histogram): LatencyReport | null {
  if (histogram.totalCount === 0) return null;
  // A percentile is the upper edge of its bucket: without the cap, p99.9 could stand above the maximum.
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
