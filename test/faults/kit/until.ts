/** Polls until `isDone`. @throws after `deadlineMs`, with what was waited for */
export async function until(
  what: string,
  isDone: () => boolean | Promise<boolean>,
  deadlineMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await isDone())) {
    if (performance.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await Bun.sleep(25);
  }
}
