#!/usr/bin/env bun
// Sets up and runs every test suite that this machine can run. The last line of the output is machine-readable.
import { existsSync } from "node:fs";
import { join } from "node:path";
// By its path: before `bun install` there is no @ingest/cli-flags.
import { type Command, type CommandLine, runCommand } from "../packages/cli-flags/src/index.ts";
import { root, setUp } from "./set-up.ts";
import { addLcov, type Coverage, coverageReport } from "./test/coverage.ts";
import type { Counts } from "./test/junit.ts";
import { probeMachine } from "./test/machine.ts";
import { runFiles } from "./test/run.ts";
import { type Suite, suites, testFiles } from "./test/suites.ts";

/** Suites that run the code in the test process. The others start processes of their own, which coverage doesn't see. */
const measured = ["unit", "client"];

/** Folders whose uncovered lines are listed one by one: an error there can lose events. */
const listed = [
  "packages/http-server/src",
  "services/producer/src/delivery",
  "services/producer/src/http",
  "services/consumer/src/loop",
];

const transpiler = new Bun.Transpiler({ loader: "ts" });

const suiteNames = suites.map(({ name }) => name);

const flags = {
  only: { kind: "list", of: suiteNames, help: "run these suites only" },
  coverage: { kind: "switch", help: `show which lines the suites ${measured.join(" and ")} ran` },
} as const;

const command: Command<typeof flags> = {
  name: "bun run test",
  about: "Runs the tests.",
  flags,
  operands: { name: "FILTER", help: "run only test files whose path contains a filter", min: 0 },
  passThrough: "arguments for bun test",
  notes: `Suites, in this order:
${suites.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`).join("\n")}

A suite that this machine can't run is left out; the end of the output names it with the reason.
The last line is "N passed, N failed, N skipped" over all suites; exit code 0 when none failed.`,
};

interface Outcome {
  suite: Suite;
  counts: Counts;
  seconds: number;
  notes: string[];
}

async function main(commandLine: CommandLine<typeof flags>): Promise<number> {
  const { values, operands: filters, passedThrough } = commandLine;
  const wanted = suites.filter(({ name }) => values.only === undefined || values.only.includes(name));
  const outcomes: Outcome[] = [];
  const leftOut: string[] = [];
  const coverage: Coverage = new Map();

  await setUp({ addon: "wanted" });
  await using machine = await probeMachine(wanted.flatMap(({ needs }) => needs));
  for (const suite of wanted) {
    const files = testFiles(suite, root, filters);
    const reason = whyNot(suite, files, filters) ?? machine.missing(suite.needs);
    if (reason !== undefined) {
      leftOut.push(`${suite.name}: ${reason}`);
      continue;
    }
    say(`${suite.name} (${files.length} files)`);
    const isMeasured = values.coverage && measured.includes(suite.name);
    const result = await runFiles({
      root,
      files,
      args: passedThrough,
      env: machine.env,
      limitSeconds: suite.limitSeconds,
      ...(isMeasured ? { onLcov: (lcov: string) => addLcov(coverage, lcov) } : {}),
    });
    outcomes.push({ suite, ...result });
  }
  if (values.coverage) await showCoverage(coverage);
  return report(outcomes, leftOut);
}

function whyNot(suite: Suite, files: string[], filters: readonly string[]): string | undefined {
  if (!suite.folders.some((folder) => existsSync(join(root, folder)))) return "not in this checkout";
  if (files.length === 0 && filters.length > 0) return `no file matches ${filters.join(" or ")}`;
  return undefined;
}

async function showCoverage(coverage: Coverage): Promise<void> {
  say("coverage");
  const sources: string[] = [];
  const files = listed.flatMap((folder) => [...new Bun.Glob(`${folder}/**/*.ts`).scanSync({ cwd: root })]);
  for (const file of files) {
    // A file of types alone has no line to run.
    const code = transpiler.transformSync(await Bun.file(join(root, file)).text());
    if (code.trim() !== "") sources.push(file);
  }
  for (const line of coverageReport(coverage, sources.sort(), listed)) console.log(line);
}

function report(outcomes: Outcome[], leftOut: string[]): number {
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  say("results");
  for (const { suite, counts, seconds, notes } of outcomes) {
    // No test at all is a failure.
    if (counts.passed + counts.failed + counts.skipped === 0) {
      counts.failed = 1;
      notes.push("no test ran");
    }
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
    const mark = counts.failed === 0 ? "ok    " : "FAILED";
    console.log(`${mark} ${suite.name.padEnd(12)} ${line(counts)} (${seconds.toFixed(0)} s)`);
    for (const note of notes) console.log(`         ${note}`);
  }
  for (const reason of leftOut) console.log(`left out ${reason}`);
  if (outcomes.length === 0) {
    console.log("no suite ran");
    total.failed++;
  }
  console.log(line(total));
  return total.failed === 0 ? 0 : 1;
}

function line({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

function say(title: string): void {
  console.log(`\n── ${title} ${"─".repeat(Math.max(0, 60 - title.length))}`);
}

process.exitCode = await runCommand(command, process.argv.slice(2), main).catch((thrown: unknown) => {
  console.log(thrown instanceof Error ? thrown.message : String(thrown));
  console.log("0 passed, 1 failed, 0 skipped");
  return 1;
});
process.exit();
