// Gets a peer ready on this machine: its folder copied into the cache under the hash of its files, built there once.

import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "@ingest/broker";
import { pathToNode } from "../../../packages/kafka-native/conformance/harness/node.ts";

/** Runs one program to its end in the peer's folder. `needs` says what is missing when the program isn't there. */
export type Run = (command: readonly string[], needs: string) => Promise<void>;

export interface Recipe {
  /** Under bench/peers. */
  readonly folder: string;
  /** More than the folder's files that the result depends on, as a compiler's version. */
  readonly facts?: readonly string[];
  /** Makes the copy in `dir` ready to run. */
  build(dir: string, run: Run): Promise<void>;
}

/** A peer can't be had on this machine, and why. */
export class InstallError extends Error {
  override name = "InstallError";
}

/** Where everything that isn't source goes. */
export function peersCache(): string {
  return join(cacheFolder(), "peers");
}

/**
 * The folder with the peer ready to run, from the cache when its files are the same.
 * @throws InstallError with the end of the failing step's output
 */
export async function install(recipe: Recipe, say: (message: string) => void): Promise<string> {
  const source = join(import.meta.dir, "..", recipe.folder);
  const home = join(peersCache(), `${recipe.folder}-${await hashFolder(source, recipe.facts ?? [])}`);
  if (existsSync(join(home, ".ready"))) return home;
  await rm(home, { recursive: true, force: true });
  await mkdir(peersCache(), { recursive: true });
  await cp(source, home, { recursive: true });
  await recipe.build(home, async (command, needs) => {
    say(`${recipe.folder}: ${command.join(" ")}`);
    await run(command, needs, home);
  });
  await writeFile(join(home, ".partial"), "");
  await rename(join(home, ".partial"), join(home, ".ready"));
  return home;
}

async function run(command: readonly string[], needs: string, cwd: string): Promise<void> {
  const program = command[0]!;
  if (Bun.which(program) === null && !existsSync(join(cwd, program))) {
    throw new InstallError(`${program} is not on PATH: ${needs}`);
  }
  const env = { ...process.env, PATH: pathToNode(process.env) };
  const child = Bun.spawn([...command], { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) {
    const end = `${out}${err}`.trimEnd().split("\n").slice(-15).join("\n");
    throw new InstallError(`${command.join(" ")} failed in ${cwd}:\n${end}`);
  }
}

async function hashFolder(folder: string, facts: readonly string[]): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const content = await readFile(join(folder, name)).catch(() => undefined); // a folder has none
    if (content !== undefined) hash.update(`${name}\0${content.length}\0`).update(content);
  }
  for (const fact of facts) hash.update(`\0${fact}`);
  return hash.digest("hex").slice(0, 12);
}
