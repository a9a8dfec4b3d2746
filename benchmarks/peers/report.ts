// Measurements → report: medians over the rounds, and whether the goals are met.
import type { LoadName } from "../kit/loads.ts";
import { type Summary, summarize, summarizeRatio } from "../kit/summary.ts";
import { toGoals } from "./goals.ts";
import { type Measurements, validSamples } from "./measurements.ts";
import { plan } from "./plan.ts";
import type { Report, Sample } from "./report-schema.ts";
import { type ServerName, serverNames } from "./servers.ts";

export function toReport(measurements: Measurements): Report {
  return {
    schemaVersion: 2,
    ...measurements,
    summary: serverNames.flatMap((server) =>
      plan[server].flatMap((load) => summarizeLoad(measurements.samples, server, load)),
    ),
    goals: toGoals(measurements),
  };
}

function summarizeLoad(samples: readonly Sample[], server: ServerName, load: LoadName): Report["summary"] {
  const valid = validSamples(samples, server, load);
  const summaryOf = (field: (sample: Sample) => number | null): Summary | undefined =>
    summarize(valid.map(field).filter((value) => value !== null));
  const cpuMicrosPerEvent = summaryOf((s) => s.cpuMicrosPerEvent);
  if (cpuMicrosPerEvent === undefined) return [];
  const byRound = (list: Sample[]) => new Map(list.map((s) => [s.round, s.cpuMicrosPerEvent]));
  const rust = byRound(validSamples(samples, "rust-axum", load));
  return [
    {
      server,
      load,
      cpuMicrosPerEvent,
      eventsPerSecond: summaryOf((s) => s.eventsPerSecond)!,
      p50Ms: summaryOf((s) => s.p50Ms) ?? null,
      p99Ms: summaryOf((s) => s.p99Ms) ?? null,
      peakMemoryMiB: summaryOf((s) => s.peakMemoryMiB)!,
      cpuOverRust: summarizeRatio(byRound(valid), rust) ?? null,
    },
  ];
}
