// Starts and stops the demo's processes.
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { root } from "../set-up.ts";

export interface ProcessOptions {
  name: string;
  /** The source file to run, relative to the root, and its arguments. */
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Its output goes to `<logFolder>/<name>.log`. */
  logFolder: string;
  /** Keeps running after this process. Otherwise it is stopped with this process, even when that is killed (on Linux). */
  isDetached: boolean;
  /** Whether the process is ready. Polled. */
  isReady(): Promise<boolean>;
  readyTimeoutMs: number;
}

export interface DemoProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** @throws Error with the end of the log when the process exits or is not ready in time */
  untilReady(): Promise<void>;
  /** Sends SIGTERM, and SIGKILL after a timeout. */
  stop(): Promise<void>;
}

const stopTimeoutMs = 30_000;

/** Starts a process. Await `untilReady` before using it. */
export function startProcess(options: ProcessOptions): DemoProcess {
  const logFile = join(options.logFolder, `${options.name}.log`);
  const log = openSync(logFile, "a");
  const child = Bun.spawn(
    [...(options.isDetached ? [] : killedWithParent("TERM")), process.execPath, ...options.args],
    {
      cwd: root,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", log, log],
      // Ctrl-C must reach this process only, which stops the others in order.
      detached: true,
    },
  );
  closeSync(log);
  if (options.isDetached) child.unref();
  return {
    name: options.name,
    pid: child.pid,
    logFile,
    untilReady: () => untilReady(child, options, logFile),
    stop: () => stopChild(child),
  };
}

async function untilReady(child: Subprocess, options: ProcessOptions, logFile: string): Promise<void> {
  const deadline = performance.now() + options.readyTimeoutMs;
  while (!(await options.isReady())) {
    const exited = hasExited(child);
    if (exited || performance.now() > deadline) {
      const reason = exited
        ? "exited during its start"
        : `was not ready within ${options.readyTimeoutMs / 1000} s`;
      const log = (await Bun.file(logFile).text()).trimEnd().split("\n").slice(-20).join("\n");
      throw new Error(`the ${options.name} ${reason}; its log ends:\n${log}`);
    }
    await Bun.sleep(50);
  }
}

/** On Linux, a command prefix that sends this signal to the command when this process ends, even if it is killed. */
export function killedWithParent(signal: "TERM" | "KILL"): string[] {
  return Bun.which("setpriv") ? ["setpriv", "--pdeathsig", signal, "--"] : [];
}

async function stopChild(child: Subprocess): Promise<void> {
  if (hasExited(child)) return;
  child.kill("SIGTERM");
  const forced = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
  await child.exited;
  clearTimeout(forced);
}

function hasExited(child: Subprocess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Whether `GET url` responds with a 2xx status. */
export async function respondsOk(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}
