// Remembers the processes that `--keep` left running, so that `--stop` can end them.
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { root } from "../set-up.ts";
import type { DemoProcess } from "./processes.ts";

const stateFile = join(root, ".cache", "demo.json");
const stopTimeoutMs = 30_000;

interface State {
  folder: string;
  /** In start order. */
  processes: { name: string; pid: number; source: string }[];
}

/** The source file that each process runs. It shows that a process id still belongs to the same process. */
export const sources: Readonly<Record<string, string>> = {
  broker: "packages/broker/src/main.ts",
  producer: "services/producer/src/main.ts",
  consumer: "services/consumer/src/main.ts",
};

export async function saveRunning(folder: string, processes: readonly DemoProcess[]): Promise<void> {
  const state: State = {
    folder,
    processes: processes.map(({ name, pid }) => ({ name, pid, source: sources[name] ?? name })),
  };
  await mkdir(dirname(stateFile), { recursive: true });
  await writeFile(stateFile, `${JSON.stringify(state, null, 2)}\n`);
}

/** Whether a saved process still runs. */
export async function isStillRunning(): Promise<boolean> {
  if (!existsSync(stateFile)) return false;
  const state = JSON.parse(await readFile(stateFile, "utf8")) as State;
  for (const { pid, source } of state.processes) if (await runs(pid, source)) return true;
  return false;
}

/** Stops the saved processes, last started first. @returns the names of those that still ran */
export async function stopRunning(): Promise<string[]> {
  if (!existsSync(stateFile)) return [];
  const state = JSON.parse(await readFile(stateFile, "utf8")) as State;
  const stopped: string[] = [];
  for (const { name, pid, source } of state.processes.toReversed()) {
    if (!(await runs(pid, source))) continue;
    process.kill(pid, "SIGTERM");
    const deadline = performance.now() + stopTimeoutMs;
    while (await runs(pid, source)) {
      if (performance.now() > deadline) process.kill(pid, "SIGKILL");
      await Bun.sleep(50);
    }
    stopped.push(name);
  }
  await rm(state.folder, { recursive: true, force: true });
  await rm(stateFile);
  return stopped;
}

/** Whether the process exists and runs this source file. */
async function runs(pid: number, source: string): Promise<boolean> {
  const child = Bun.spawn(["ps", "-o", "args=", "-p", String(pid)], { stdio: ["ignore", "pipe", "ignore"] });
  return (await child.stdout.text()).includes(source);
}
