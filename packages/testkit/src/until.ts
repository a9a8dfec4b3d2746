/** A pause is ten times as long as the attempt before it took, so that polling takes little of the machine. */
const PAUSE_PER_ATTEMPT = 10;
const MIN_PAUSE_MS = 2;
const MAX_PAUSE_MS = 50;

/** What `until` resolves with: a condition's result once it is neither `false`, `null` nor `undefined`. */
export type Met<T> = Exclude<T, false | null | undefined>;

/**
 * Polls a condition until it is met. A condition that throws is not met yet.
 * @param what names the condition in the error message, such as "both outcomes"
 * @param condition met once it returns anything but `false`, `null` or `undefined`
 * @returns what the condition returned
 * @throws Error after `deadlineMs`, with `what`, and with the condition's last error as its cause
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  deadlineMs = 30_000,
): Promise<Met<T>> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const startedMs = performance.now();
    let lastError: unknown;
    try {
      const result = await condition();
      if (result !== false && result !== null && result !== undefined) return result as Met<T>;
    } catch (error) {
      lastError = error;
    }
    const nowMs = performance.now();
    if (nowMs > deadline) throw toTimeoutError(what, deadlineMs, lastError);
    const pauseMs = PAUSE_PER_ATTEMPT * (nowMs - startedMs);
    await Bun.sleep(Math.min(Math.max(pauseMs, MIN_PAUSE_MS), MAX_PAUSE_MS));
  }
}

function toTimeoutError(what: string, deadlineMs: number, lastError: unknown): Error {
  const message = `timed out after ${deadlineMs} ms waiting for ${what}`;
  if (lastError === undefined) return new Error(message);
  const reason = lastError instanceof Error ? lastError.message : String(lastError);
  return new Error(`${message}; last error: ${reason}`, { cause: lastError });
}
