// The report as Markdown: single events, other loads, goals, and the machine.
import { basename } from "node:path";
import type { LoadName } from "../kit/loads.ts";
import { toDecimal, toRange, toRow } from "../kit/markdown.ts";
import { summarize } from "../kit/summary.ts";
import type { Report } from "./report-schema.ts";
import type { ServerName } from "./servers.ts";

type Row = Report["summary"][number];
type SummaryField =
  | "cpuMicrosPerEvent"
  | "eventsPerSecond"
  | "p50Ms"
  | "p99Ms"
  | "peakMemoryMiB"
  | "cpuOverRust";

export function toMarkdown(report: Report): string {
  return [
    ...(report.isQuick ? ["**A quick run, to see that it works: its numbers mean nothing.**", ""] : []),
    ...singleTable(report),
    ...otherTable(report),
    ...extras(report),
    ...goalTable(report),
    ...footnotes(report),
    "",
  ].join("\n");
}

function singleTable(report: Report): string[] {
  const rows = report.servers.flatMap(({ name, title }) => {
    const c64 = find(report, name, "c64");
    const c256 = find(report, name, "c256");
    const rate = find(report, name, "rate-1000");
    if (c64 === undefined || c256 === undefined) return [];
    return toRow([
      title,
      cell(c64, "cpuMicrosPerEvent", 1),
      cell(c256, "cpuMicrosPerEvent", 1),
      cell(c64, "cpuOverRust", 2),
      cell(c256, "cpuOverRust", 2),
      cell(c64, "eventsPerSecond", 0),
      cell(c256, "eventsPerSecond", 0),
      cell(rate, "p50Ms", 2),
      cell(rate, "p99Ms", 2),
      cell(c256, "peakMemoryMiB", 0),
    ]);
  });
  if (rows.length === 0) return [];
  const heads = [
    "one event a request",
    "CPU µs an event, c64",
    "c256",
    "÷ Rust, c64",
    "c256",
    "events/s, c64",
    "c256",
    "p50 ms at 1,000/s",
    "p99",
    "peak MiB, single events",
  ];
  return [toRow(heads), toRow(heads.map((_, i) => (i === 0 ? "---" : "--:"))), ...rows, ""];
}

function otherTable(report: Report): string[] {
  const others: [ServerName, LoadName, string][] = [
    ["ingest", "batch-json", "100 events a request, JSON array, c16"],
    ["rust-axum", "batch-json", "100 events a request, JSON array, c16"],
    ["ingest", "batch-ndjson", "100 events a request, NDJSON, c16"],
    ["rust-axum", "batch-ndjson", "100 events a request, NDJSON, c16"],
    ["ingest", "durable", "one event a request, durable, c64"],
    ["ingest-on-2-cores", "c64", "one event a request, c64"],
    ["ingest-2-workers", "c64", "one event a request, c64"],
  ];
  const rows = others.flatMap(([server, load, what]) => {
    const row = find(report, server, load);
    const title = report.servers.find(({ name }) => name === server)?.title;
    if (row === undefined || title === undefined) return [];
    return toRow([
      title,
      what,
      cell(row, "cpuMicrosPerEvent", 2),
      cell(row, "cpuOverRust", 2),
      cell(row, "eventsPerSecond", 0),
      cell(row, "p99Ms", 1),
    ]);
  });
  if (rows.length === 0) return [];
  const heads = ["", "load", "CPU µs an event", "÷ Rust", "events/s", "p99 ms"];
  return [toRow(heads), "| --- | --- | --: | --: | --: | --: |", ...rows, ""];
}

function extras({ consumer, client }: Report): string[] {
  const rows = [
    ...consumer
      .filter((s) => s.void.length === 0)
      .map((s) => ({
        name: "consumer, a log line an event",
        each: s.cpuMicrosPerEvent,
        perSecond: s.eventsPerSecond,
      })),
    ...client.map((s) => ({
      name: `${s.client}, 64 connections`,
      each: s.cpuMicrosPerRequest,
      perSecond: s.requestsPerSecond,
    })),
  ];
  const lines = [...new Set(rows.map(({ name }) => name))].map((name) => {
    const ofName = rows.filter((row) => row.name === name);
    return toRow([
      name,
      toRange(summarize(ofName.map(({ perSecond }) => perSecond)), 0),
      toRange(summarize(ofName.map(({ each }) => each)), 2),
    ]);
  });
  if (lines.length === 0) return [];
  return [toRow(["on one core", "a second", "CPU µs each"]), "| --- | --: | --: |", ...lines, ""];
}

function goalTable({ goals }: Report): string[] {
  const rows = goals.flatMap(({ what, goal, unit, measured, isMet }) =>
    measured === null
      ? []
      : toRow([what, `${goal} ${unit}`, toDecimal(measured, 2), isMet ? "yes" : "**no**"]),
  );
  return rows.length === 0
    ? []
    : [toRow(["goal", "", "measured", "met"]), "| --- | --- | --: | --- |", ...rows, ""];
}

function footnotes(report: Report): string[] {
  const { machine, setup, samples } = report;
  const isVoid = samples.filter((s) => s.void.length > 0);
  const bytes = samples[0]?.eventBytes;
  // An event costs a little more on a server that is not saturated.
  const unsaturated = samples.filter(
    (s) => s.void.length === 0 && (s.load === "c64" || s.load === "c256") && s.serverCpuShare < 0.9,
  );
  const others = Math.max(0, ...samples.map((s) => s.othersCpuShare));
  return [
    `Medians of ${setup.rounds} interleaved rounds of ${setup.seconds} s a load, (lowest–highest); ratios are taken within a round. ` +
      `${bytes === undefined ? "" : `Events of ${bytes} B, `}${setup.partitions} partitions, lz4, linger 5 ms, acks=all, idempotent. ` +
      "CPU is of the server's whole process tree. In every valid sample the topic has one record for each 202.",
    "",
    `${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Linux ${machine.kernel.split("-")[0]}, Kafka ${machine.kafka}; ${setup.cores}. ` +
      `Allocator preloaded for the peers on Node and Python: ${setup.preload === null ? "none" : basename(setup.preload)}. Other processes took up to ${toDecimal(others * 100, 0)} % of a core.`,
    "",
    ...report.servers.map(({ title, notes }) => `- ${title}: ${notes}`),
    ...report.missing.map(
      ({ name, round, reason }) =>
        `- ${name}${round === null ? "" : `, round ${round + 1}`} was not measured: ${reason.split("\n")[0]}`,
    ),
    ...unsaturated.map(
      (s) =>
        `- not saturated: ${s.server}, ${s.load}, round ${s.round + 1} used ${toDecimal(s.serverCpuShare * 100, 0)} % of a core`,
    ),
    ...isVoid.map((s) => `- void: ${s.server}, ${s.load}, round ${s.round + 1}: ${s.void.join("; ")}`),
  ];
}

function find(report: Report, server: ServerName, load: LoadName): Row | undefined {
  return report.summary.find((row) => row.server === server && row.load === load);
}

function cell(row: Row | undefined, field: SummaryField, digits: number): string {
  return toRange(row?.[field], digits);
}
