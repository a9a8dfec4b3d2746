// The main program of every service: settings, start, signals, stop, exit code.

import type { SettingProblem } from "./environment.ts";
import { Lifecycle } from "./lifecycle.ts";
import type { Log } from "./log.ts";
import { SettingsError } from "./settings.ts";

/** Exit codes: 0 after a clean stop, 1 after a failure or a forced stop, 2 for invalid settings. */
export const exitCodes = { clean: 0, failed: 1, settings: 2 } as const;

/** Signals that stop a service. SIGINT, SIGQUIT and SIGHUP come from a terminal: Ctrl-C, Ctrl-\\, and its end. */
const stopSignals = ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"] as const;
type StopSignal = (typeof stopSignals)[number];

/**
 * `bun run` forwards Ctrl-C to a child that the terminal has already sent it to, so the same signal arrives twice. A second
 * one within this time, ms, is that echo.
 */
const TERMINAL_ECHO_MS = 100;

/** Returns what `parse` returns. For invalid settings it prints every problem and exits with 2, before any socket opens. */
export function settingsOrExit<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(exitCodes.settings);
  }
}

/**
 * Returns what both return.
 * @throws SettingsError with the problems of both
 */
export function readBoth<A, B>(first: () => A, second: () => B): [A, B] {
  const problems: SettingProblem[] = [];
  const collect = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const results = [collect(first), collect(second)];
  if (problems.length > 0) throw new SettingsError(problems);
  return results as [A, B];
}

export interface RunOptions {
  /**
   * What a second stop signal does. `exit`, the default: exit with 1 immediately. `ignore`: for a worker, whose parent decides
   * when to end it. A signal to the whole process group reaches a worker twice, by itself and through its parent.
   */
  secondSignal?: "exit" | "ignore";
}

/**
 * Runs a service until SIGTERM, SIGINT, SIGQUIT or SIGHUP: `start` registers its steps with the lifecycle, a signal stops them
 * in reverse and the process exits with 0 (1 when a step did not stop cleanly). A second signal exits with 1 immediately.
 * SIGHUP reloads instead where something can be reloaded.
 * A start that fails is logged, what had started is stopped, and the exit code is 1.
 */
export async function runService(
  log: Log,
  start: (lifecycle: Lifecycle) => Promise<void>,
  { secondSignal = "exit" }: RunOptions = {},
): Promise<void> {
  const lifecycle = new Lifecycle(log);
  const end = async (code: number) => {
    const clean = await lifecycle.stop();
    log.info({}, "stopped");
    process.exit(clean ? code : exitCodes.failed);
  };
  let first: { signal: StopSignal; atMs: number } | undefined;
  const onSignal = (signal: StopSignal) => {
    if (signal === "SIGHUP" && !lifecycle.isStopping && lifecycle.reload()) return;
    if (lifecycle.isStopping) {
      if (secondSignal === "ignore" || isEcho(signal, first)) return;
      log.warn({ signal }, "second signal received: exiting immediately");
      process.exit(exitCodes.failed);
    }
    first = { signal, atMs: performance.now() };
    log.info({ signal }, "stopping");
    void end(exitCodes.clean);
  };
  for (const signal of stopSignals) process.on(signal, () => onSignal(signal));
  try {
    await start(lifecycle);
  } catch (error) {
    if (lifecycle.isStopping) return;
    log.fatal({ error }, "start failed");
    await end(exitCodes.failed);
  }
}

/** A signal that nobody sent in order to force the exit. */
function isEcho(signal: StopSignal, first: { signal: StopSignal; atMs: number } | undefined): boolean {
  // A terminal that closes sends SIGHUP, and so does its shell.
  if (signal === "SIGHUP") return true;
  return (
    signal !== "SIGTERM" && signal === first?.signal && performance.now() - first.atMs < TERMINAL_ECHO_MS
  );
}
