// The main program of every service: settings, start, signals, stop, exit code.
import { Lifecycle } from "./lifecycle.ts";
import type { Log } from "./log.ts";
import { SettingsError } from "./settings.ts";

/** Exit codes: 0 after a clean stop, 1 after a failure or a forced stop, 2 for invalid settings. */
export const exitCodes = { clean: 0, failed: 1, settings: 2 } as const;

/**
 * `bun run` forwards Ctrl-C to a child that the terminal has already sent it to, so the same SIGINT arrives twice. A second
 * one within this time, ms, is that echo.
 */
const INTERRUPT_ECHO_MS = 100;

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
 * Runs a service until SIGTERM or SIGINT: `start` registers its steps with the lifecycle, a signal stops them in reverse
 * and the process exits with 0 (1 when a step did not stop cleanly). A second signal exits with 1 immediately.
 * A start that fails is logged, what had started is stopped, and the exit code is 1.
 */
export async function runService(log: Log, start: (lifecycle: Lifecycle) => Promise<void>): Promise<void> {
  const lifecycle = new Lifecycle(log);
  const end = async (code: number) => {
    const clean = await lifecycle.stop();
    log.info({}, "stopped");
    process.exit(clean ? code : exitCodes.failed);
  };
  let firstInterruptAt = Number.NEGATIVE_INFINITY;
  const onSignal = (signal: NodeJS.Signals) => {
    if (lifecycle.isStopping) {
      if (signal === "SIGINT" && performance.now() - firstInterruptAt < INTERRUPT_ECHO_MS) return;
      log.warn({ signal }, "second signal received: exiting immediately");
      process.exit(exitCodes.failed);
    }
    if (signal === "SIGINT") firstInterruptAt = performance.now();
    log.info({ signal }, "stopping");
    void end(exitCodes.clean);
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  try {
    await start(lifecycle);
  } catch (error) {
    if (lifecycle.isStopping) return;
    log.fatal({ error }, "start failed");
    await end(exitCodes.failed);
  }
}
