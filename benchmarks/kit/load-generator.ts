// One run of the load generator (`bun run bench`) in a process of its own.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Report as BenchReport } from "../../bench/src/report/schema.ts";
import { pinned } from "./cores.ts";
import { root } from "./paths.ts";

export interface LoadRun {
  readonly report: BenchReport;
  /** CPU time of the load generator, its start included. */
  readonly cpuMicros: number;
}

export interface LoadRunOptions {
  readonly url: URL;
  readonly flags: readonly string[];
  readonly amount: { readonly seconds: number } | { readonly requests: number };
  readonly payloadBytes: number;
  readonly cores: string | undefined;
  /** For the report file, which is removed after it is read. */
  readonly folder: string;
}

/** @throws Error with the load generator's output when it wrote no report */
export async function runLoadGenerator(options: LoadRunOptions): Promise<LoadRun> {
  const file = join(options.folder, `load-${process.pid}.json`);
  const command = [process.execPath, join(root, "bench/src/main.ts"), "--url", options.url.href];
  const { amount } = options;
  command.push(
    ...("seconds" in amount ? ["--duration", `${amount.seconds}s`] : ["--requests", `${amount.requests}`]),
  );
  command.push("--payload-bytes", String(options.payloadBytes), "--json", file, ...options.flags);
  const child = Bun.spawn(pinned(options.cores, command), {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  await child.exited;
  const report = Bun.file(file);
  if (!(await report.exists())) throw new Error(`the load generator failed:\n${err}${out}`);
  const read = (await report.json()) as BenchReport;
  await rm(file);
  return { report: read, cpuMicros: Number(child.resourceUsage()?.cpuTime.total ?? 0) };
}
