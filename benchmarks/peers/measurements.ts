// What the rounds measured, before it is summarized.
import type { LoadName } from "../kit/loads.ts";
import type { Report, Sample } from "./report-schema.ts";
import type { ServerName } from "./servers.ts";

export type Measurements = Omit<Report, "schemaVersion" | "summary" | "goals">;

/** The samples of one server under one load, without void ones. */
export function validSamples(samples: readonly Sample[], server: ServerName, load: LoadName): Sample[] {
  return samples.filter((s) => s.server === server && s.load === load && s.void.length === 0);
}
