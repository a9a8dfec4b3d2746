// Runs the conformance cases with the addon and librdkafka under AddressSanitizer:
//
//   bun packages/kafka-native/conformance/sanitize.ts [FILTER…]
//
// Cases that need a broker run when KAFKA_TEST_BOOTSTRAP_SERVERS names one. Exits with 1 when the sanitizer has found
// something, or a case fails. Linux with gcc or clang; the host itself (Bun, Node) is not instrumented.
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { commandLineOrExit } from "@ingest/cli-flags";
import { cacheDir } from "../build/paths.ts";
import { findToolchain } from "../build/toolchain.ts";
import { buildAddonSet } from "./harness/addons.ts";
import { findNode } from "./harness/node.ts";
import { type Case, type Runtime, readCase, runCase } from "./harness/run-case.ts";

const { operands: filters } = await commandLineOrExit(
  {
    name: "bun packages/kafka-native/conformance/sanitize.ts",
    about: "Runs the conformance cases with the addon and librdkafka under AddressSanitizer.",
    flags: {},
    operands: { name: "FILTER", help: "run only cases whose name contains a filter", min: 0 },
    notes: `Cases that need a broker run when KAFKA_TEST_BOOTSTRAP_SERVERS names one.
Exit code 1 when the sanitizer found something or a case failed.`,
  },
  process.argv.slice(2),
);

const sanitizerFlags = ["-fsanitize=address", "-fno-omit-frame-pointer", "-g"];

const probe = await findToolchain(process.env);
if ("missing" in probe) throw new Error(`this machine lacks ${probe.missing.join(", ")}`);
const toolchain = probe.found;
const addons = await buildAddonSet({ toolchain, extraFlags: sanitizerFlags });

// The host is a plain program, so the sanitizer's library has to be loaded before everything else.
const { stdout } = Bun.spawnSync([toolchain.cxx, "-print-file-name=libasan.so"]);
const reportDir = join(cacheDir(process.env), "sanitizer");
rmSync(reportDir, { recursive: true, force: true });
mkdirSync(reportDir, { recursive: true });
const env = {
  LD_PRELOAD: stdout.toString().trim(),
  // Leaks: the engines leave theirs to the process's end, and so do Confluent's clients that are not disconnected.
  ASAN_OPTIONS: `detect_leaks=0:log_path=${join(reportDir, "report")}`,
};

const node = findNode(process.env)?.command;
const runtimes: Runtime[] = [{ name: "bun", command: [process.execPath], addons, isOracle: false, env }];
if (node !== undefined) {
  runtimes.push({ name: "node", command: [node, "--expose-gc"], addons, isOracle: false, env });
}

const cases: Case[] = ["cases", "client", "hazards"]
  .flatMap((dir) =>
    readdirSync(join(import.meta.dir, dir))
      .filter((name) => name.endsWith(".cjs"))
      .sort()
      .map((file) => readCase(dir, file)),
  )
  .filter(({ name }) => filters.length === 0 || filters.some((part) => name.includes(part)))
  .filter(({ needsBroker }) => !needsBroker || Boolean(process.env.KAFKA_TEST_BOOTSTRAP_SERVERS));

// On Bun the sanitizer cannot follow a C++ exception: it misreads the bounds of the engine's signal stack and gives up.
const sanitizerGaveUp = /AddressSanitizer: CHECK failed: asan_poisoning/;

let failed = 0;
let unchecked = 0;
for (const one of cases) {
  for (const runtime of runtimes) {
    const { exitCode, signal, stderr } = await runCase(one, runtime);
    const reports = readdirSync(reportDir).map((name) => readFileSync(join(reportDir, name), "utf8"));
    for (const name of readdirSync(reportDir)) rmSync(join(reportDir, name));
    const isClean = reports.length === 0 && (signal ?? exitCode) === one.exitCode;
    const gaveUp = reports.length > 0 && reports.every((report) => sanitizerGaveUp.test(report));
    console.log(`${isClean ? "clean  " : gaveUp ? "gave up" : "FAILED "} ${runtime.name} ${one.name}`);
    if (gaveUp) unchecked++;
    else if (!isClean) {
      failed++;
      console.log(reports.join("\n") || `ended with ${signal ?? exitCode}\n${stderr}`);
    }
  }
}
console.log(
  `${cases.length} cases on ${runtimes.map(({ name }) => name).join(" and ")}: ${failed} failed, ${unchecked} could not be checked`,
);
process.exit(failed === 0 ? 0 : 1);
