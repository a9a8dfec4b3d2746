// Runs one suite in one `bun test` process. The output is passed through; the counts come from the JUnit report.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Counts, judge, parseJunit } from "./junit.ts";

export interface RunOptions {
  root: string;
  /** Relative to the root. */
  files: readonly string[];
  /** More arguments for `bun test`. */
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  limitSeconds: number;
  /** Asks for coverage; called with the LCOV report, where one was written. */
  onLcov?: (lcov: string) => void;
  quiet?: boolean;
}

export interface SuiteResult {
  counts: Counts;
  seconds: number;
  /** The failed tests by name, and failures that the counts don't explain. */
  notes: string[];
}

/** Limit of a single test, ms. Generous, so that a slow machine fails no test. */
const testLimitMs = 60_000;

export async function runFiles(options: RunOptions): Promise<SuiteResult> {
  // Without files `bun test` would run all tests.
  if (options.files.length === 0) {
    return { counts: { passed: 0, failed: 1, skipped: 0 }, seconds: 0, notes: ["no test files"] };
  }
  const folder = await mkdtemp(join(tmpdir(), "test-report-"));
  const reportFile = join(folder, "junit.xml");
  const started = performance.now();
  try {
    const child = Bun.spawn(
      [
        process.execPath,
        "test",
        `--timeout=${testLimitMs}`,
        "--reporter=junit",
        `--reporter-outfile=${reportFile}`,
        ...(options.onLcov ? ["--coverage", "--coverage-reporter=lcov", `--coverage-dir=${folder}`] : []),
        ...options.args,
        ...options.files.map((file) => `./${file}`),
      ],
      {
        cwd: options.root,
        env: { ...process.env, ...options.env },
        stdio: ["ignore", options.quiet ? "ignore" : "inherit", options.quiet ? "ignore" : "inherit"],
      },
    );
    let isLate = false;
    const limit = setTimeout(() => {
      isLate = true;
      child.kill("SIGKILL");
    }, options.limitSeconds * 1000);
    const exitCode = await child.exited;
    clearTimeout(limit);

    const lcov = Bun.file(join(folder, "lcov.info"));
    if (options.onLcov && (await lcov.exists())) options.onLcov(await lcov.text());
    const seconds = (performance.now() - started) / 1000;
    const report = Bun.file(reportFile);
    if (child.signalCode !== null || !(await report.exists())) {
      const why = isLate
        ? `not done within ${options.limitSeconds} s`
        : `ended without a report (${child.signalCode ?? `exit code ${exitCode}`})`;
      return { counts: { passed: 0, failed: 1, skipped: 0 }, seconds, notes: [why] };
    }
    const parsed = parseJunit(await report.text());
    const { counts, silent } = judge(parsed, expectedFiles(options), exitCode);
    const notes = [...parsed.failures, ...silent.map((file) => `no test ran in ${file}`)];
    return { counts, seconds, notes };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** With a name pattern, a file without a matching test is no failure. */
function expectedFiles({ files, args }: RunOptions): readonly string[] {
  return args.some((arg) => arg === "-t" || arg.startsWith("--test-name-pattern")) ? [] : files;
}
