// Ctrl-C: the first stops the firing, the second the verification, the third the process.

/** What hands out signals: the process. */
export interface SignalSource {
  on(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  exit(code: number): unknown;
}

/**
 * `bun run` passes Ctrl-C on to a child that has had it from the terminal already: what follows within this time, ms,
 * is that echo and not a person's second thought.
 */
const ECHO_MS = 100;

/** As a shell reports a process that SIGINT ended. */
const INTERRUPTED = 130;

/**
 * @param now a clock in ms
 * @returns signals for `run`
 */
export function onInterrupts(
  source: SignalSource,
  now: () => number = () => performance.now(),
): { stopFiring: AbortSignal; stopAll: AbortSignal } {
  const steps = [new AbortController(), new AbortController()];
  let lastAt = Number.NEGATIVE_INFINITY;
  const onSignal = () => {
    const at = now();
    if (at - lastAt < ECHO_MS) return;
    lastAt = at;
    const step = steps.find((controller) => !controller.signal.aborted);
    if (step === undefined) source.exit(INTERRUPTED);
    else step.abort();
  };
  source.on("SIGINT", onSignal);
  source.on("SIGTERM", onSignal);
  return { stopFiring: steps[0]!.signal, stopAll: steps[1]!.signal };
}
