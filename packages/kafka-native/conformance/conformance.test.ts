// Each case prints the same lines on Bun, on Node, and on Node with the real NAN.
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Case, type CaseResult, type Runtime, readCase, runCase } from "./harness/run-case.ts";
import { findRuntimes } from "./harness/runtimes.ts";

const { available, skipped } = await findRuntimes(process.env);
const bootstrapServers = process.env.KAFKA_TEST_BOOTSTRAP_SERVERS;
const timeoutMs = 300_000;

for (const { name, reason } of skipped) test.skip(`on ${name}: skipped, ${reason}`, () => {});

function whyNot(one: Case): string | undefined {
  if (available.length === 0) return "there is nothing to run it with";
  if (one.needsBroker && !bootstrapServers) return "KAFKA_TEST_BOOTSTRAP_SERVERS names no broker";
  return undefined;
}

/** Cases of the surface watch the clock, so they have the machine to themselves; a client's mostly wait. */
async function runAll(one: Case, runtimes: readonly Runtime[], isClient: boolean): Promise<CaseResult[]> {
  if (isClient) return Promise.all(runtimes.map((runtime) => runCase(one, runtime)));
  const results: CaseResult[] = [];
  for (const runtime of runtimes) results.push(await runCase(one, runtime));
  return results;
}

async function compare(one: Case, isClient: boolean): Promise<void> {
  const runtimes = available.filter(({ isOracle }) => !(isOracle && one.noOracle !== undefined));
  const results = await runAll(one, runtimes, isClient);
  for (const [index, { stdout, stderr, exitCode, signal }] of results.entries()) {
    const runtime = runtimes[index]!.name;
    const ended = signal ?? exitCode;
    if (ended !== one.exitCode) {
      throw new Error(`on ${runtime} it ended with ${ended}, not ${one.exitCode}\n${stdout}\n${stderr}`);
    }
    expect({ runtime, stdout }).toEqual({ runtime, stdout: results[0]!.stdout });
  }
}

for (const dir of ["cases", "client", "hazards"]) {
  describe(dir, () => {
    for (const file of readdirSync(join(import.meta.dir, dir))
      .filter((name) => name.endsWith(".cjs"))
      .sort()) {
      const one = readCase(dir, file);
      const reason = whyNot(one);
      if (reason === undefined) test(one.name, () => compare(one, dir !== "cases"), timeoutMs);
      else test.skip(`${one.name}: skipped, ${reason}`, () => {});
    }
  });
}
