// The counts of a `bun test` run and the names of its failed tests, from its JUnit report.

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

export interface Report {
  counts: Counts;
  files: Set<string>;
  /** "file: group > test" of each failed test. */
  failures: string[];
}

/** @throws Error when the text is not a JUnit report */
export function parseJunit(xml: string): Report {
  const root = /<testsuites\b([^>]*)>/.exec(xml)?.[1];
  if (root === undefined) throw new Error("no <testsuites> in the report");
  const failed = attribute(root, "failures") + attribute(root, "errors");
  const skipped = attribute(root, "skipped");
  const passed = attribute(root, "tests") - failed - skipped;
  const files = new Set(
    [...xml.matchAll(/<testsuite\b[^>]*\bfile="([^"]*)"/g)].map(([, file]) => file ?? ""),
  );
  return { counts: { passed, failed, skipped }, files, failures: failedTests(xml) };
}

function failedTests(xml: string): string[] {
  const failures: string[] = [];
  for (const [, tag = "", content] of xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)) {
    if (!/<(failure|error)\b/.test(content ?? "")) continue;
    const names = [text(tag, "classname"), text(tag, "name")].filter((name) => name !== "");
    failures.push(`${text(tag, "file")}: ${names.join(" > ")}`);
  }
  return failures;
}

const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function text(tag: string, name: string): string {
  const value = new RegExp(`(?<![\\w-])${name}="([^"]*)"`).exec(tag)?.[1] ?? "";
  return value.replace(/&(lt|gt|quot|apos|amp);/g, (_, entity: string) => entities[entity] ?? "");
}

function attribute(tag: string, name: string): number {
  return Number(new RegExp(`\\b${name}="(\\d+)"`).exec(tag)?.[1] ?? 0);
}

/**
 * The counts of a suite that was given these files. A file that is missing in the report could not be loaded or ran no test:
 * it counts as one failure. So does a non-zero exit code when the report has no failure.
 */
export function judge(
  report: Pick<Report, "counts" | "files">,
  given: readonly string[],
  exitCode: number,
): { counts: Counts; silent: string[] } {
  const silent = given.filter((file) => !report.files.has(file));
  const counts = { ...report.counts, failed: report.counts.failed + silent.length };
  if (exitCode !== 0 && counts.failed === 0) counts.failed = 1;
  return { counts, silent };
}
