// Counts the instructions of a running process with perf. Virtual machines often have no such counter.

/** Can `perf` count this event on this machine? */
export function canCount(event: string): boolean {
  if (Bun.which("perf") === null) return false;
  const probe = Bun.spawnSync(["perf", "stat", "-x", ",", "-e", event, "true"]);
  return probe.exitCode === 0 && toCount(probe.stderr.toString()) !== undefined;
}

/** Parses the output of `perf stat -x ,`; undefined for `<not supported>` and `<not counted>`. */
export function toCount(output: string): number | undefined {
  for (const line of output.split("\n")) {
    const fields = line.split(",");
    if (fields.length > 2 && /^\d+(\.\d+)?$/.test(fields[0]!)) return Number(fields[0]);
  }
  return undefined;
}

/** Counts `event` in all threads of a process while `work` runs. */
export async function countDuring(
  event: string,
  pid: number,
  work: () => Promise<void>,
): Promise<number | undefined> {
  const perf = Bun.spawn(["perf", "stat", "-x", ",", "-e", event, "-p", String(pid)], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  try {
    await work();
  } finally {
    perf.kill("SIGINT"); // makes it print its counts and exit
  }
  return toCount(await perf.stderr.text());
}
