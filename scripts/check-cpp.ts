#!/usr/bin/env bun
// Checks the addon's own C++ (packages/kafka-native): bun run check:cpp. Without clang-format its flags pass, because
// `bun run check` needs no C++ tools.
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { runCommand, UsageError } from "@ingest/cli-flags";
import { addonSources } from "../packages/kafka-native/build/addon.ts";
import { run } from "../packages/kafka-native/build/command.ts";
import { cxxFlags } from "../packages/kafka-native/build/compile.ts";
import { packageDir } from "../packages/kafka-native/build/paths.ts";

const surfaceDir = join(packageDir, "conformance", "addon");

/** The package's C++ files, absolute. */
function ownFiles(pattern: string): string[] {
  return [...new Bun.Glob(pattern).scanSync({ cwd: packageDir, absolute: true })].sort();
}

/** @returns whether all files have the format of packages/kafka-native/.clang-format, now or as `mode` leaves them */
async function format(mode: "check" | "write"): Promise<boolean> {
  const flags = mode === "check" ? ["--dry-run", "--Werror"] : ["-i"];
  const { exitCode, stderr } = await run(["clang-format", ...flags, ...ownFiles("**/*.{cc,h}")]);
  process.stderr.write(stderr);
  if (exitCode !== 0) console.error("the C++ is not formatted: bun run format");
  return exitCode === 0;
}

/** @returns whether clang-tidy accepts every source, and the headers of this package that it includes */
async function checkSources(): Promise<boolean> {
  const [own = "", ...foreign] = addonSources().includeDirs;
  const flags = [
    ...cxxFlags.filter((flag) => flag.startsWith("-std")),
    `-I${own}`,
    `-I${surfaceDir}`,
    // As system headers, in which clang-tidy reports nothing.
    ...foreign.flatMap((dir) => ["-isystem", dir]),
  ];
  const waiting = ownFiles("**/*.cc");
  let isClean = true;
  const worker = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const { exitCode, stdout, stderr } = await run(["clang-tidy", "--quiet", file, "--", ...flags]);
      if (exitCode === 0) continue;
      isClean = false;
      process.stdout.write(stdout || stderr);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return isClean;
}

const command = {
  name: "bun run check:cpp",
  about: "Checks the addon's own C++ with clang-tidy; takes a minute or two.",
  flags: {
    format: { kind: "switch", help: "check the format with clang-format instead" },
    write: { kind: "switch", help: "fix the format with clang-format instead" },
  },
} as const;

process.exitCode = await runCommand(command, process.argv.slice(2), async ({ values }) => {
  if (values.format && values.write) throw new UsageError("--format and --write exclude each other");
  const isFormat = values.format || values.write;
  const tool = isFormat ? "clang-format" : "clang-tidy";
  if (Bun.which(tool) === null) {
    console.error(`${tool} is not installed: the C++ was not checked`);
    return isFormat ? 0 : 1;
  }
  const isClean = isFormat ? await format(values.write ? "write" : "check") : await checkSources();
  return isClean ? 0 : 1;
});
