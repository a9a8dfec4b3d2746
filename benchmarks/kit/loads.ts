// The loads that benchmarks share, as flags of the load generator.

const batch = ["--concurrency", "16", "--batch", "100"];

/** Single events come first, so that every JIT compiler is warm before batches are measured. */
export const loads = {
  c64: { title: "64 connections", flags: ["--concurrency", "64"] },
  c256: { title: "256 connections", flags: ["--concurrency", "256"] },
  "rate-1000": { title: "1,000 requests a second", flags: ["--concurrency", "64", "--rate", "1000"] },
  "batch-json": { title: "100 a request, JSON array", flags: batch },
  "batch-ndjson": { title: "100 a request, NDJSON", flags: [...batch, "--format", "ndjson"] },
  durable: { title: "64 connections, durable", flags: ["--concurrency", "64", "--durability", "durable"] },
} as const satisfies Record<string, { title: string; flags: readonly string[] }>;

export type LoadName = keyof typeof loads;
export const loadNames = Object.keys(loads) as LoadName[];

/** Text in each event's payload: an event of about 300 B. */
export const DEFAULT_PAYLOAD_BYTES = 195;
