import { expect, test } from "bun:test";
import { barsMarkdown } from "./bars.ts";
import type { Report } from "./report-schema.ts";

test("bars are in proportion, the cheapest first, without the servers on two cores", () => {
  const summary = (server: string, micros: number, perSecond: number) => ({
    server,
    load: "c64",
    cpuMicrosPerEvent: { median: micros, min: micros, max: micros, count: 1 },
    eventsPerSecond: { median: perSecond, min: perSecond, max: perSecond, count: 1 },
  });
  const report = {
    servers: [
      { name: "ingest", title: "this service", notes: "" },
      { name: "ingest-2-workers", title: "two", notes: "" },
      { name: "rust-axum", title: "Rust", notes: "" },
    ],
    summary: [
      summary("ingest", 20, 50_000),
      summary("ingest-2-workers", 30, 1),
      summary("rust-axum", 10, 100_000),
    ],
  } as unknown as Report;
  expect(barsMarkdown(report)).toBe(
    [
      "```",
      `Rust          ${"█".repeat(18)}${" ".repeat(18)}   10.0 µs    100,000 events/s`,
      `this service  ${"█".repeat(36)}   20.0 µs     50,000 events/s`,
      "```",
    ].join("\n"),
  );
});
