// Measurements as Markdown.
import type { Summary } from "./summary.ts";

/** `9.2 (8.9–9.9)`; the range is left out when there is one sample only, everything when there is none. */
export function toRange(summary: Summary | null | undefined, digits: number): string {
  if (summary == null) return "";
  const median = toDecimal(summary.median, digits);
  if (summary.count < 2) return median;
  return `${median} (${toDecimal(summary.min, digits)}–${toDecimal(summary.max, digits)})`;
}

/** With thousands separators. */
export function toDecimal(value: number, digits: number): string {
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** One row of a table. */
export function toRow(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
