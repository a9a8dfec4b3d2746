// Runs one case in one runtime.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { packageDir } from "../../build/paths.ts";
import type { AddonSet } from "./addons.ts";

export interface Runtime {
  /** "bun", "node" or "node with NAN". */
  name: string;
  command: readonly string[];
  addons: AddonSet;
  isOracle: boolean;
  env?: Readonly<Record<string, string>>;
}

export interface Case {
  name: string;
  path: string;
  /** Why the oracle cannot run it, from a line `// oracle: no: …` at its beginning. */
  noOracle: string | undefined;
  /** A line `// needs: broker`. */
  needsBroker: boolean;
  /** Exit code that the case is to end with, from a line `// exits: …`; 0 by default. */
  exitCode: number;
}

export interface CaseResult {
  stdout: string;
  stderr: string;
  exitCode: number | null;
  /** A signal's name when one ended it; SIGKILL: it took too long. */
  signal: string | undefined;
}

const deadlineMs = 120_000;

/** Reads a case's first comment lines. */
export function readCase(dir: string, file: string): Case {
  const path = join(packageDir, "conformance", dir, file);
  const head = readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("//"));
  const directive = (name: string): string | undefined =>
    head
      .map((line) => line.slice(2).trim())
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2);
  return {
    name: `${dir}/${basename(file, ".cjs")}`,
    path,
    noOracle: directive("oracle")?.replace(/^no: /, ""),
    needsBroker: directive("needs") === "broker",
    exitCode: Number(directive("exits") ?? 0),
  };
}

/** Runs to the end, or for two minutes at most. */
export async function runCase({ path }: Case, runtime: Runtime): Promise<CaseResult> {
  const child = Bun.spawn([...runtime.command, path], {
    env: {
      ...process.env,
      NO_COLOR: "1",
      CONFORMANCE_ADDON: runtime.addons.surface,
      CONFORMANCE_CLIENT_ADDON: runtime.addons.client,
      ...runtime.env,
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: deadlineMs,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  await child.exited;
  return { stdout, stderr, exitCode: child.exitCode, signal: child.signalCode?.toString() };
}
