// What `--keep` left running, for `--stop`.
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { root } from "../set-up.ts";
import type { Part } from "./parts.ts";

const stateFile = join(root, ".cache", "demo.json");
const stopWithinMs = 30_000;

interface Kept {
  folder: string;
  /** In the order of their start. */
  parts: { name: string; pid: number; source: string }[];
}

/** The source files that the parts run, by which `--stop` knows that a process id is still theirs. */
export const sources: Readonly<Record<string, string>> = {
  broker: "packages/broker/src/main.ts",
  producer: "services/producer/src/main.ts",
  consumer: "services/consumer/src/main.ts",
};

export async function remember(folder: string, parts: readonly Part[]): Promise<void> {
  const kept: Kept = {
    folder,
    parts: parts.map(({ name, pid }) => ({ name, pid, source: sources[name] ?? name })),
  };
  await mkdir(dirname(stateFile), { recursive: true });
  await writeFile(stateFile, `${JSON.stringify(kept, null, 2)}\n`);
}

/** What `remember` has written down, where some of it still runs. */
export async function stillKept(): Promise<boolean> {
  if (!existsSync(stateFile)) return false;
  const kept = JSON.parse(await readFile(stateFile, "utf8")) as Kept;
  for (const { pid, source } of kept.parts) if (await runs(pid, source)) return true;
  return false;
}

/** Stops what `remember` has written down, last started first. @returns the names of what still ran */
export async function stopKept(): Promise<string[]> {
  if (!existsSync(stateFile)) return [];
  const kept = JSON.parse(await readFile(stateFile, "utf8")) as Kept;
  const stopped: string[] = [];
  for (const { name, pid, source } of kept.parts.toReversed()) {
    if (!(await runs(pid, source))) continue;
    process.kill(pid, "SIGTERM");
    const deadline = performance.now() + stopWithinMs;
    while (await runs(pid, source)) {
      if (performance.now() > deadline) process.kill(pid, "SIGKILL");
      await Bun.sleep(50);
    }
    stopped.push(name);
  }
  await rm(kept.folder, { recursive: true, force: true });
  await rm(stateFile);
  return stopped;
}

/** Is this process there, and is it still the one that was started? */
async function runs(pid: number, source: string): Promise<boolean> {
  const child = Bun.spawn(["ps", "-o", "args=", "-p", String(pid)], { stdio: ["ignore", "pipe", "ignore"] });
  return (await child.stdout.text()).includes(source);
}
