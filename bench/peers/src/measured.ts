// What the rounds bring in, before anything is summed up.
import type { LoadName } from "./loads.ts";
import type { Report, Sample } from "./report-schema.ts";
import type { SubjectName } from "./subjects.ts";

export type Measured = Omit<Report, "schemaVersion" | "summary" | "goals">;

/** The samples that count of one server under one load. */
export function countedOf(samples: readonly Sample[], subject: SubjectName, load: LoadName): Sample[] {
  return samples.filter((s) => s.subject === subject && s.load === load && s.void.length === 0);
}
