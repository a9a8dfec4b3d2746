// Which lines the tests ran, from Bun's LCOV reports. For a person to read: it decides nothing.

/** Runs of each line, by file relative to the root. */
export type Coverage = Map<string, Map<number, number>>;

/** Adds a report's counts. Only sources count: neither tests nor what tests are made of. */
export function addLcov(coverage: Coverage, lcov: string): void {
  let lines: Map<number, number> | undefined;
  for (const row of lcov.split("\n")) {
    if (row.startsWith("SF:")) {
      const file = row.slice(3);
      lines = isSource(file) ? (coverage.get(file) ?? new Map()) : undefined;
      if (lines !== undefined) coverage.set(file, lines);
    } else if (row.startsWith("DA:") && lines !== undefined) {
      const [line = 0, runs = 0] = row.slice(3).split(",").map(Number);
      lines.set(line, (lines.get(line) ?? 0) + runs);
    }
  }
}

function isSource(file: string): boolean {
  return !/(\.test|-fixture)\.ts$|(^|\/)(testing|testkit|node_modules)\/|^\.\.\//.test(file);
}

/**
 * A line for each workspace, then the lines that no test ran, of the files below `listed`.
 * @param sources every source file below `listed`: one that no test loads is in no report
 */
export function coverageReport(
  coverage: Coverage,
  sources: readonly string[],
  listed: readonly string[],
): string[] {
  const byWorkspace = Map.groupBy(coverage, ([file]) => workspaceOf(file));
  const report = [...byWorkspace]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([workspace, files]) => {
      const counts = files.flatMap(([, lines]) => [...lines.values()]);
      return `${workspace.padEnd(24)} ${percentOf(counts)} of ${counts.length} lines`;
    });
  const isListed = (file: string) => listed.some((folder) => file.startsWith(`${folder}/`));
  report.push("", "lines that no test of these suites ran:");
  for (const [file, lines] of [...coverage].filter(([file]) => isListed(file)).sort()) {
    const missed = [...lines].filter(([, runs]) => runs === 0).map(([line]) => line);
    if (missed.length > 0) report.push(`${file} (${percentOf([...lines.values()])}): ${toRanges(missed)}`);
  }
  for (const file of sources) {
    if (isSource(file) && !coverage.has(file)) report.push(`${file}: not loaded by any test`);
  }
  return report;
}

function workspaceOf(file: string): string {
  const [first = "", second = ""] = file.split("/");
  return first === "packages" || first === "services" ? `${first}/${second}` : first;
}

function percentOf(runs: readonly number[]): string {
  const share = runs.filter((count) => count > 0).length / Math.max(1, runs.length);
  return `${(share * 100).toFixed(1).padStart(5)} %`;
}

/** `1, 2, 3, 7` → `1-3, 7`. */
function toRanges(lines: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const line of lines.toSorted((a, b) => a - b)) {
    const range = ranges.at(-1);
    if (range !== undefined && range[1] === line - 1) range[1] = line;
    else ranges.push([line, line]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(", ");
}
