// Waiting with a time limit.

/**
 * Waits for `work`, at most `limitMs`. Work that takes longer is left to itself, and its rejection is then ignored.
 * The timer is cleared as soon as the work settles. Until then it keeps the process alive: work that nothing else keeps
 * alive would otherwise end the process in the middle of the wait.
 * @param limitMs zero and below give work that has already settled its turn, and no more
 * @returns whether the work was done in time
 * @throws what the work rejects with in time
 */
export async function settlesWithin(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  const { promise: timeLimit, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(resolve, Math.max(limitMs, 0), false);
  try {
    return await Promise.race([work.then(() => true), timeLimit]);
  } finally {
    clearTimeout(timer);
  }
}
