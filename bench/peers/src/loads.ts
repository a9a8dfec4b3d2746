// The loads that a server gets in its turn, and one run of the load generator.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Report as BenchReport } from "../../src/report/schema.ts";
import { pinned } from "./cores.ts";
import { root, type SubjectName } from "./subjects.ts";

export interface Load {
  readonly name: LoadName;
  readonly title: string;
  /** For the load generator. */
  readonly flags: readonly string[];
}

const batch = ["--concurrency", "16", "--batch", "100"];

/** In the order in which they are run: single events first, so that every compiler has seen them. */
export const loads = {
  c64: { title: "64 connections", flags: ["--concurrency", "64"] },
  c256: { title: "256 connections", flags: ["--concurrency", "256"] },
  "rate-1000": { title: "1,000 requests a second", flags: ["--concurrency", "64", "--rate", "1000"] },
  "batch-json": { title: "100 a request, JSON array", flags: batch },
  "batch-ndjson": { title: "100 a request, NDJSON", flags: [...batch, "--format", "ndjson"] },
  durable: { title: "64 connections, durable", flags: ["--concurrency", "64", "--durability", "durable"] },
} as const satisfies Record<string, { title: string; flags: readonly string[] }>;
export type LoadName = keyof typeof loads;

const single: readonly LoadName[] = ["c64", "c256", "rate-1000"];
const batches: readonly LoadName[] = ["batch-json", "batch-ndjson"];

/** Who is given what: batches where there is an endpoint for them. */
export const plan: Readonly<Record<SubjectName, readonly LoadName[]>> = {
  ingest: [...single, ...batches, "durable"],
  "ingest-on-2-cores": ["c64"],
  "ingest-2-workers": ["c64"],
  "rust-axum": [...single, ...batches],
  fastify: single,
  fastapi: single,
};

export interface Fired {
  readonly report: BenchReport;
  /** CPU time of the load generator, its own start included. */
  readonly cpuMicros: number;
}

export interface FireOptions {
  readonly url: URL;
  readonly flags: readonly string[];
  readonly amount: { readonly seconds: number } | { readonly requests: number };
  readonly payloadBytes: number;
  readonly cores: string | undefined;
  /** For the report's passage; removed again. */
  readonly folder: string;
}

/**
 * Runs the load generator as a process of its own, on its own cores.
 * @throws Error with its output when it could not fire
 */
export async function fire(options: FireOptions): Promise<Fired> {
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
