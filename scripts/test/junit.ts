// What `bun test` says about a run, read from its JUnit report rather than from the text meant for people.

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** @throws Error when the text is not a JUnit report */
export function parseJunit(xml: string): { counts: Counts; files: Set<string> } {
  const root = /<testsuites\b([^>]*)>/.exec(xml)?.[1];
  if (root === undefined) throw new Error("no <testsuites> in the report");
  const failed = attribute(root, "failures") + attribute(root, "errors");
  const skipped = attribute(root, "skipped");
  const passed = attribute(root, "tests") - failed - skipped;
  const files = new Set(
    [...xml.matchAll(/<testsuite\b[^>]*\bfile="([^"]*)"/g)].map(([, file]) => file ?? ""),
  );
  return { counts: { passed, failed, skipped }, files };
}

function attribute(tag: string, name: string): number {
  return Number(new RegExp(`\\b${name}="(\\d+)"`).exec(tag)?.[1] ?? 0);
}

/**
 * The counts of a suite that was given these files. Each file that the report doesn't know could not be loaded or ran no
 * test, and counts as one failure; so does an exit code that tells of a failure where the report has none.
 */
export function judge(
  report: { counts: Counts; files: Set<string> },
  given: readonly string[],
  exitCode: number,
): { counts: Counts; silent: string[] } {
  const silent = given.filter((file) => !report.files.has(file));
  const counts = { ...report.counts, failed: report.counts.failed + silent.length };
  if (exitCode !== 0 && counts.failed === 0) counts.failed = 1;
  return { counts, silent };
}
