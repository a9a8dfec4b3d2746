// A pause that can be interrupted.

/**
 * Waits `ms`, or until `signal` aborts. The timer keeps the process alive until then.
 * @returns false when the signal has ended the pause or had aborted before it
 */
export function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const end = (isOver: boolean) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      resolve(isOver);
    };
    const onAbort = () => end(false);
    const timer = setTimeout(end, ms, true);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
