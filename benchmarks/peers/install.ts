// Installs a peer: copies its folder into the cache, under the hash of its files, and builds it there once.

import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToNode } from "../../packages/kafka-native/conformance/harness/node.ts";
import { benchmarksCache } from "../kit/paths.ts";

/** Runs a program in the peer's folder. `requirement` completes the error message when the program is not installed. */
type Run = (command: readonly string[], requirement: string) => Promise<void>;

export interface Recipe {
  /** In benchmarks/peers. */
  readonly folder: string;
  /** What else the build depends on, for example a compiler's version. */
  readonly cacheKeys?: readonly string[];
  /** Builds the copy in `dir`. */
  build(dir: string, run: Run): Promise<void>;
}

/** This machine cannot install a peer. The message logs why. */
export class InstallError extends Error {
  override name = "InstallError";
}

/**
 * @returns the folder of the installed peer, from the cache when its files have not changed
 * @throws InstallError with the end of the failing step's output
 */
export async function install(recipe: Recipe, log: (message: string) => void): Promise<string> {
  const source = join(import.meta.dir, recipe.folder);
  const target = join(
    benchmarksCache(),
    `${recipe.folder}-${await hashFolder(source, recipe.cacheKeys ?? [])}`,
  );
  if (existsSync(join(target, ".ready"))) return target;
  await rm(target, { recursive: true, force: true });
  await mkdir(benchmarksCache(), { recursive: true });
  await cp(source, target, { recursive: true });
  await recipe.build(target, async (command, requirement) => {
    log(`${recipe.folder}: ${command.join(" ")}`);
    await run(command, requirement, target);
  });
  await writeFile(join(target, ".partial"), "");
  await rename(join(target, ".partial"), join(target, ".ready"));
  return target;
}

async function run(command: readonly string[], requirement: string, cwd: string): Promise<void> {
  const program = command[0]!;
  if (Bun.which(program) === null && !existsSync(join(cwd, program))) {
    throw new InstallError(`${program} is not on PATH: ${requirement}`);
  }
  const env = { ...process.env, PATH: pathToNode(process.env) };
  const child = Bun.spawn([...command], { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) {
    const end = `${out}${err}`.trimEnd().split("\n").slice(-15).join("\n");
    throw new InstallError(`${command.join(" ")} failed in ${cwd}:\n${end}`);
  }
}

async function hashFolder(folder: string, cacheKeys: readonly string[]): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const content = await readFile(join(folder, name)).catch(() => undefined); // a folder
    if (content !== undefined) hash.update(`${name}\0${content.length}\0`).update(content);
  }
  for (const key of cacheKeys) hash.update(`\0${key}`);
  return hash.digest("hex").slice(0, 12);
}
