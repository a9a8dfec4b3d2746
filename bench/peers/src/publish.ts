// bun bench/peers/src/publish.ts [report.json]: puts a run's tables where the documents have their places for them, and
// the plot of growth, where there is one in out/peers, into docs.
import { join } from "node:path";
import { capacityMarkdown } from "./capacity.ts";
import { toMarkdown, toShortMarkdown } from "./markdown.ts";
import type { Report } from "./report-schema.ts";
import { root } from "./subjects.ts";

/** Which part goes between the marks of which name, in whichever document has them. */
const parts: Readonly<Record<string, (report: Report) => string>> = {
  table: toShortMarkdown,
  report: toMarkdown,
  capacity: capacityMarkdown,
};

/**
 * Replaces what stands between `<!-- bench:peers NAME -->` and `<!-- /bench:peers NAME -->`.
 * @throws Error when a mark has no end
 */
export function replacePart(document: string, name: string, text: string): string {
  const begin = `<!-- bench:peers ${name} -->`;
  const end = `<!-- /bench:peers ${name} -->`;
  const from = document.indexOf(begin);
  if (from < 0) return document;
  const to = document.indexOf(end, from);
  if (to < 0) throw new Error(`"${begin}" has no "${end}"`);
  return `${document.slice(0, from + begin.length)}\n${text.trim()}\n${document.slice(to)}`;
}

if (import.meta.main) {
  const report = (await Bun.file(process.argv[2] ?? join(root, "out/peers/report.json")).json()) as Report;
  if (report.isQuick) throw new Error("the figures of a quick run mean nothing: they are not for documents");
  for (const name of ["README.md", "docs/performance.md"]) {
    const file = join(root, name);
    const before = await Bun.file(file).text();
    let after = before;
    for (const [part, toText] of Object.entries(parts)) after = replacePart(after, part, toText(report));
    if (after === before) continue;
    await Bun.write(file, after);
    console.log(`${name} has new figures`);
  }
  const plot = Bun.file(join(root, "out/peers/growth.svg"));
  if (await plot.exists()) await Bun.write(join(root, "docs/growth.svg"), plot);
}
