// Which server gets which loads.
import type { LoadName } from "../kit/loads.ts";
import type { ServerName } from "./servers.ts";

const single: readonly LoadName[] = ["c64", "c256", "rate-1000"];
const batches: readonly LoadName[] = ["batch-json", "batch-ndjson"];

/** Batches only for servers that have an endpoint for them. */
export const plan: Readonly<Record<ServerName, readonly LoadName[]>> = {
  ingest: [...single, ...batches, "durable"],
  "ingest-on-2-cores": ["c64"],
  "ingest-2-workers": ["c64"],
  "rust-axum": [...single, ...batches],
  fastify: single,
  fastapi: single,
};
