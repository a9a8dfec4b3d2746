// The project's goals, and whether a run meets them. A goal that is not met is a finding, not a failure.
import type { LoadName } from "../kit/loads.ts";
import { summarize, summarizeRatio } from "../kit/summary.ts";
import { type Measurements, validSamples } from "./measurements.ts";
import type { Report } from "./report-schema.ts";
import type { ServerName } from "./servers.ts";

type Goal = Report["goals"][number];
type Field = "cpuMicrosPerEvent" | "eventsPerSecond" | "p50Ms" | "p99Ms" | "peakMemoryMiB";
type Pair = readonly [ServerName, LoadName];

export function toGoals(measurements: Measurements): Goal[] {
  const byRound = ([server, load]: Pair, field: Field) =>
    new Map(validSamples(measurements.samples, server, load).map((s) => [s.round, s[field] ?? Number.NaN]));
  const median = (pair: Pair, field: Field) => summarize([...byRound(pair, field).values()])?.median;
  const ratio = (numerator: Pair, denominator: Pair, field: Field) =>
    summarizeRatio(byRound(numerator, field), byRound(denominator, field))?.median;

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
  // The last load of a round: the peak covers all loads before it.
  atMost(
    "peak memory under full load, batches too",
    130,
    "MiB",
    median(["ingest", "durable"], "peakMemoryMiB"),
  );

  const consumed = measurements.consumer.filter((s) => s.void.length === 0);
  const consumer = summarizeRatio(
    new Map(consumed.map((s) => [s.round, s.eventsPerSecond])),
    byRound(["ingest", "c64"], "eventsPerSecond"),
  );
  atLeast("consumer, logging every event: events a second", 2, "× one producer core", consumer?.median);
  const client = (name: string) =>
    new Map(measurements.client.filter((s) => s.client === name).map((s) => [s.round, s.requestsPerSecond]));
  const clients = summarizeRatio(client("bench"), client("autocannon"))?.median;
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
