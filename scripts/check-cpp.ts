#!/usr/bin/env bun
// Checks the addon's own C++ (packages/kafka-native) with clang-tidy: bun run check:cpp.
// `--format` checks the format with clang-format instead, and `--write` mends it. Both pass where that isn't installed:
// `bun run check` needs no C++ tools.
import { availableParallelism } from "node:os";
import { join } from "node:path";
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

/** @returns whether clang-tidy has nothing to say about any source, or the headers of this package that it includes */
async function checkSources(): Promise<boolean> {
  const [own = "", ...foreign] = addonSources().includeDirs;
  const flags = [
    ...cxxFlags.filter((flag) => flag.startsWith("-std")),
    `-I${own}`,
    `-I${surfaceDir}`,
    // System headers: what is wrong in there isn't this package's to mend.
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

/** @returns whether the command did its work; says so when its tool is missing */
async function main(mode: string | undefined): Promise<boolean> {
  const isFormat = mode === "--format" || mode === "--write";
  const tool = isFormat ? "clang-format" : "clang-tidy";
  if (Bun.which(tool) === null) {
    console.error(`${tool} is not installed: the C++ was left out`);
    return isFormat;
  }
  if (isFormat) return format(mode === "--write" ? "write" : "check");
  return checkSources();
}

process.exitCode = (await main(process.argv[2])) ? 0 : 1;
