// What the project wants of itself, and what a run says to it. A goal that isn't met is a finding, not a failure.
import type { LoadName } from "./loads.ts";
import { countedOf, type Measured } from "./measured.ts";
import type { Report } from "./report-schema.ts";
import type { SubjectName } from "./subjects.ts";
import { summarise, summariseRatio } from "./summary.ts";

type Goal = Report["goals"][number];
type Field = "cpuMicrosPerEvent" | "eventsPerSecond" | "p50Ms" | "p99Ms" | "peakMemoryMiB";
type Pair = readonly [SubjectName, LoadName];

export function toGoals(measured: Measured): Goal[] {
  const byRound = ([subject, load]: Pair, field: Field) =>
    new Map(countedOf(measured.samples, subject, load).map((s) => [s.round, s[field] ?? Number.NaN]));
  const median = (pair: Pair, field: Field) => summarise([...byRound(pair, field).values()])?.median;
  const ratio = (over: Pair, under: Pair, field: Field) =>
    summariseRatio(byRound(over, field), byRound(under, field))?.median;

  const goals: Goal[] = [];
  const atMost = (what: string, limit: number, unit: string, value: number | undefined) =>
    goals.push(toGoal(what, `≤ ${limit}`, unit, value, (v) => v <= limit));
  const atLeast = (what: string, limit: number, unit: string, value: number | undefined) =>
    goals.push(toGoal(what, `≥ ${limit}`, unit, value, (v) => v >= limit));

  for (const load of ["c64", "c256"] as const) {
    const at = `single events, ${load.slice(1)} connections`;
    const rust = ratio(["ingest", load], ["rust-axum", load], "cpuMicrosPerEvent");
    atMost(`${at}: CPU an event`, 1, "× Rust", rust);
    const fastapi = ratio(["fastapi", load], ["ingest", load], "cpuMicrosPerEvent");
    atLeast(`${at}: CPU an event of FastAPI + aiokafka`, 14, "× this service", fastapi);
  }
  atMost(
    "100 a request, JSON array: CPU an event",
    3,
    "µs",
    median(["ingest", "batch-json"], "cpuMicrosPerEvent"),
  );
  atMost(
    "100 a request, NDJSON: CPU an event",
    3,
    "µs",
    median(["ingest", "batch-ndjson"], "cpuMicrosPerEvent"),
  );
  const durable = ratio(["ingest", "durable"], ["ingest", "c64"], "eventsPerSecond");
  atLeast("durable, 64 connections: events a second", 0.5, "× default", durable);
  atMost("1,000 requests a second: p50", 0.25, "ms", median(["ingest", "rate-1000"], "p50Ms"));
  atMost("1,000 requests a second: p99", 2, "ms", median(["ingest", "rate-1000"], "p99Ms"));
  // The last load of a turn: a peak holds all that came before.
  atMost(
    "peak memory under full load, batches too",
    130,
    "MiB",
    median(["ingest", "durable"], "peakMemoryMiB"),
  );

  const consumed = measured.consumer.filter((s) => s.void.length === 0);
  const consumer = summariseRatio(
    new Map(consumed.map((s) => [s.round, s.eventsPerSecond])),
    byRound(["ingest", "c64"], "eventsPerSecond"),
  );
  atLeast("consumer, logging every event: events a second", 2, "× one producer core", consumer?.median);
  const client = (name: string) =>
    new Map(measured.client.filter((s) => s.client === name).map((s) => [s.round, s.requestsPerSecond]));
  const clients = summariseRatio(client("bench"), client("autocannon"))?.median;
  atLeast("load generator: requests a second on the same core", 3, "× autocannon", clients);
  const workers = ratio(["ingest-2-workers", "c64"], ["ingest-on-2-cores", "c64"], "cpuMicrosPerEvent");
  atMost("WORKERS=2 on two cores: CPU an event", 1.1, "× one worker there", workers);
  return goals;
}

function toGoal(
  what: string,
  goal: string,
  unit: string,
  value: number | undefined,
  isMet: (value: number) => boolean,
): Goal {
  const isMeasured = value !== undefined && Number.isFinite(value);
  return { what, goal, unit, measured: isMeasured ? value : null, isMet: isMeasured ? isMet(value) : null };
}
