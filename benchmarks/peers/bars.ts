// The comparison as bars, for README.md: CPU time an event with single events and 64 connections, cheapest first.
import { toDecimal } from "../kit/markdown.ts";
import type { Report } from "./report-schema.ts";

const longestBar = 36;
const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

export function barsMarkdown(report: Report): string {
  const bars = report.servers.flatMap(({ name, title }) => {
    const row = report.summary.find(({ server, load }) => server === name && load === "c64");
    // Servers on two cores belong to another comparison.
    if (name.startsWith("ingest-") || row?.cpuMicrosPerEvent === undefined) return [];
    return { title, micros: row.cpuMicrosPerEvent.median, perSecond: row.eventsPerSecond?.median ?? 0 };
  });
  const highest = Math.max(...bars.map(({ micros }) => micros));
  const titleWidth = Math.max(...bars.map(({ title }) => title.length));
  const lines = bars
    .sort((a, b) => a.micros - b.micros)
    .map(({ title, micros, perSecond }) =>
      [
        title.padEnd(titleWidth),
        toBar((micros / highest) * longestBar).padEnd(longestBar),
        `${toDecimal(micros, 1).padStart(5)} µs`,
        `${toDecimal(perSecond, 0).padStart(9)} events/s`,
      ].join("  "),
    );
  return ["```", ...lines, "```"].join("\n");
}

/** A bar of this width in characters, to an eighth of a character. */
function toBar(length: number): string {
  const parts = Math.max(1, Math.round(length * 8));
  return "█".repeat(Math.floor(parts / 8)) + eighths[parts % 8];
}
