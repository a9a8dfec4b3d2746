// Samples → report: what each comes to over the rounds, and whether the goals are met.
import { toGoals } from "./goals.ts";
import { type LoadName, plan } from "./loads.ts";
import { countedOf, type Measured } from "./measured.ts";
import type { Report, Sample } from "./report-schema.ts";
import { type SubjectName, subjectNames } from "./subjects.ts";
import { type Summary, summarise, summariseRatio } from "./summary.ts";

export function toReport(measured: Measured): Report {
  return {
    schemaVersion: 1,
    ...measured,
    summary: subjectNames.flatMap((subject) =>
      plan[subject].flatMap((load) => summariseLoad(measured.samples, subject, load)),
    ),
    goals: toGoals(measured),
  };
}

function summariseLoad(samples: readonly Sample[], subject: SubjectName, load: LoadName): Report["summary"] {
  const counted = countedOf(samples, subject, load);
  const of = (field: (sample: Sample) => number | null): Summary | undefined =>
    summarise(counted.map(field).filter((value) => value !== null));
  const cpu = of((s) => s.cpuMicrosPerEvent);
  if (cpu === undefined) return [];
  const byRound = (list: Sample[]) => new Map(list.map((s) => [s.round, s.cpuMicrosPerEvent]));
  const rust = byRound(countedOf(samples, "rust-axum", load));
  return [
    {
      subject,
      load,
      cpuMicrosPerEvent: cpu,
      eventsPerSecond: of((s) => s.eventsPerSecond)!,
      p50Ms: of((s) => s.p50Ms) ?? null,
      p99Ms: of((s) => s.p99Ms) ?? null,
      peakMemoryMiB: of((s) => s.peakMemoryMiB)!,
      cpuOverRust: summariseRatio(byRound(counted), rust) ?? null,
    },
  ];
}
