// What every service's main does: settings or a clear refusal, start, wait for a signal, stop, exit code.
import { Lifecycle } from "./lifecycle.ts";
import type { Log } from "./log.ts";
import { SettingsError } from "./settings.ts";

/** Exit codes: 0 a clean end · 1 a failure or a forced end · 2 settings that can't be used. */
export const exitCodes = { clean: 0, failed: 1, settings: 2 } as const;

/**
 * `bun run` passes Ctrl-C on to a child that has had it from the terminal already: the same SIGINT comes twice, at once.
 * A second one within this time, ms, is that echo and not a person's second thought.
 */
const INTERRUPT_ECHO_MS = 100;

/** Reads settings by `parse`; when they can't be used, prints every problem and exits with 2 before any socket opens. */
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
 * and the process exits with 0 (1 when a step did not stop cleanly). A second signal exits with 1 at once.
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
      log.warn({ signal }, "second signal: exiting at once");
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
    log.fatal({ error }, "could not start");
    await end(exitCodes.failed);
  }
}
