// bun benchmarks/peers/publish.ts [report.json]: writes a report's bars into README.md and its tables into
// docs/performance.md, and copies the growth benchmark's plot to docs.
import { join } from "node:path";
import { runCommand } from "@ingest/cli-flags";
import { outputFolder, root } from "../kit/paths.ts";
import { barsMarkdown } from "./bars.ts";
import { capacityMarkdown } from "./capacity.ts";
import { toMarkdown } from "./markdown.ts";
import type { Report } from "./report-schema.ts";

/** The sections by the name in their markers. */
const sections: Readonly<Record<string, (report: Report) => string>> = {
  bars: barsMarkdown,
  report: toMarkdown,
  capacity: capacityMarkdown,
};

/**
 * Replaces the text between `<!-- bench:peers NAME -->` and `<!-- /bench:peers NAME -->`.
 * @throws Error when a section has no end marker
 */
export function replaceSection(document: string, name: string, text: string): string {
  const begin = `<!-- bench:peers ${name} -->`;
  const end = `<!-- /bench:peers ${name} -->`;
  const from = document.indexOf(begin);
  if (from < 0) return document;
  const to = document.indexOf(end, from);
  if (to < 0) throw new Error(`"${begin}" has no "${end}"`);
  return `${document.slice(0, from + begin.length)}\n${text.trim()}\n${document.slice(to)}`;
}

const command = {
  name: "bun benchmarks/peers/publish.ts",
  about:
    "Writes a report's tables into README.md and docs/performance.md, and the growth benchmark's plot to docs.",
  flags: {},
  operands: { name: "REPORT", help: "default: the report.json of the last run", min: 0, max: 1 },
};

async function publish(reportFile: string): Promise<void> {
  const report = (await Bun.file(reportFile).json()) as Report;
  if (report.isQuick)
    throw new Error("the numbers of a quick run mean nothing: run the comparison without --quick");
  for (const name of ["README.md", "docs/performance.md"]) {
    const file = join(root, name);
    const before = await Bun.file(file).text();
    let after = before;
    for (const [section, toText] of Object.entries(sections))
      after = replaceSection(after, section, toText(report));
    if (after === before) continue;
    await Bun.write(file, after);
    console.log(`${name} updated`);
  }
  const plot = Bun.file(join(outputFolder, "growth.svg"));
  if (await plot.exists()) await Bun.write(join(root, "docs/growth.svg"), plot);
}

if (import.meta.main) {
  process.exitCode = await runCommand(command, process.argv.slice(2), async ({ operands }) => {
    await publish(operands[0] ?? join(outputFolder, "report.json"));
    return 0;
  });
}
