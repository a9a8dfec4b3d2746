import { expect, test } from "bun:test";
import { join } from "node:path";
import Ajv from "ajv";
import formats from "ajv-formats";
import { toMarkdown } from "./markdown.ts";
import type { Measurements } from "./measurements.ts";
import { toReport } from "./report.ts";
import type { Sample } from "./report-schema.ts";

const published = Bun.file(join(import.meta.dir, "report.schema.json"));

function sample(server: Sample["server"], load: Sample["load"], round: number, micros: number): Sample {
  return {
    server,
    load,
    round,
    void: [],
    eventBytes: 300,
    accepted: 1000,
    refused: 0,
    seconds: 8,
    eventsPerSecond: 1e6 / micros,
    cpuMicrosPerEvent: micros,
    serverCpuShare: 1,
    brokerCpuMicrosPerEvent: 2,
    storedBytesPerEvent: 150,
    loadCpuShare: 0.5,
    othersCpuShare: 0,
    p50Ms: 0.2,
    p99Ms: 1,
    peakMemoryMiB: 100,
  };
}

const measurements: Measurements = {
  startedAt: "2026-01-01T00:00:00.000Z",
  isQuick: false,
  machine: { processor: "P", cores: 2, memoryGiB: 8, kernel: "6", bun: "1", kafka: "4" },
  setup: { rounds: 2, seconds: 8, warmUpSeconds: 4, partitions: 6, cores: "one core", preload: null },
  servers: [
    { name: "ingest", title: "this service", notes: "" },
    { name: "rust-axum", title: "Rust", notes: "" },
  ],
  missing: [{ name: "fastapi", round: null, reason: "no Python" }],
  samples: [
    sample("ingest", "c64", 0, 12),
    sample("rust-axum", "c64", 0, 15),
    sample("ingest", "c64", 1, 24),
    sample("rust-axum", "c64", 1, 20),
    { ...sample("ingest", "c64", 2, 1), void: ["10 accepted in all, 9 records"] },
    sample("ingest", "c256", 0, 14),
  ],
  consumer: [],
  client: [],
};

test("a report matches its schema, void samples don't count, ratios are taken within a round", async () => {
  const report = toReport(measurements);
  const ajv = formats(new Ajv({ allErrors: true }));
  ajv.validate(await published.json(), report);
  expect(ajv.errors).toBeNull();
  const row = report.summary.find(({ server, load }) => server === "ingest" && load === "c64");
  expect(row?.cpuMicrosPerEvent).toEqual({ median: 18, min: 12, max: 24, count: 2 });
  expect(row?.cpuOverRust).toEqual({ median: 1, min: 0.8, max: 1.2, count: 2 });
  const goal = report.goals.find(({ what }) => what.startsWith("single events, 64"));
  expect(goal).toMatchObject({ measured: 1, isMet: true });
  expect(report.goals.find(({ what }) => what.startsWith("WORKERS=2"))?.isMet).toBeNull();
});

test("the tables list the servers, and what is missing or void", () => {
  const text = toMarkdown(toReport(measurements));
  expect(text).toContain("| this service | 18.0 (12.0–24.0) |");
  expect(text).toContain("fastapi was not measured: no Python");
  expect(text).toContain("void: ingest, c64, round 3: 10 accepted in all, 9 records");
  expect(text).not.toContain("NaN");
});
