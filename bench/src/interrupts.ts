// Ctrl-C: the first stops sending, the second the verification, the third the process.

/** The part of `process` that is used here. */
export interface SignalSource {
  on(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  exit(code: number): unknown;
}

/**
 * `bun run` forwards Ctrl-C to a child that has already received it from the terminal. A signal that follows another
 * within this time, ms, is ignored as such an echo.
 */
const ECHO_MS = 100;

/** A shell's exit code for a process that SIGINT ended. */
const INTERRUPTED = 130;

/**
 * @param now a clock in ms
 * @returns signals for `run`
 */
export function onInterrupts(
  source: SignalSource,
  now: () => number = () => performance.now(),
): { stopSending: AbortSignal; stopAll: AbortSignal } {
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
  return { stopSending: steps[0]!.signal, stopAll: steps[1]!.signal };
}
