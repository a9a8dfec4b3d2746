// The demo's processes: started, waited for, stopped in reverse.
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { root } from "../set-up.ts";

export interface PartOptions {
  name: string;
  /** The source file to run, from the root, and its arguments. */
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Its output goes to `<logFolder>/<name>.log`. */
  logFolder: string;
  /** It outlives this process. Otherwise it ends with this process, however that ends (on Linux). */
  isKept: boolean;
  /** True once the part does its work. */
  isReady(): Promise<boolean>;
  readyWithinMs: number;
}

export interface Part {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** @throws Error with the log's end when the part ends or is not ready in time */
  untilReady(): Promise<void>;
  /** SIGTERM, and SIGKILL when it has not ended in time. */
  stop(): Promise<void>;
}

const stopWithinMs = 30_000;

/** Starts a part; it is there to be stopped from now on, and ready later. */
export function startPart(options: PartOptions): Part {
  const logFile = join(options.logFolder, `${options.name}.log`);
  const log = openSync(logFile, "a");
  const child = Bun.spawn(
    [...(options.isKept ? [] : endsWithUs("TERM")), process.execPath, ...options.args],
    {
      cwd: root,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", log, log],
      // Ctrl-C is for this process, which then stops its parts in order.
      detached: true,
    },
  );
  closeSync(log);
  if (options.isKept) child.unref();
  return {
    name: options.name,
    pid: child.pid,
    logFile,
    untilReady: () => untilReady(child, options, logFile),
    stop: () => stopChild(child),
  };
}

async function untilReady(child: Subprocess, options: PartOptions, logFile: string): Promise<void> {
  const deadline = performance.now() + options.readyWithinMs;
  while (!(await options.isReady())) {
    const ended = hasEnded(child);
    if (ended || performance.now() > deadline) {
      const why = ended ? "ended at its start" : `was not ready within ${options.readyWithinMs / 1000} s`;
      const log = (await Bun.file(logFile).text()).trimEnd().split("\n").slice(-20).join("\n");
      throw new Error(`the ${options.name} ${why}; its log ends:\n${log}`);
    }
    await Bun.sleep(50);
  }
}

/** On Linux, the front of a command that is to get this signal when this process ends, even if that is killed outright. */
export function endsWithUs(signal: "TERM" | "KILL"): string[] {
  return Bun.which("setpriv") ? ["setpriv", "--pdeathsig", signal, "--"] : [];
}

async function stopChild(child: Subprocess): Promise<void> {
  if (hasEnded(child)) return;
  child.kill("SIGTERM");
  const forced = setTimeout(() => child.kill("SIGKILL"), stopWithinMs);
  await child.exited;
  clearTimeout(forced);
}

function hasEnded(child: Subprocess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Does `GET url` answer 200? */
export async function answersOk(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}
