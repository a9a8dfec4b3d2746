// Where benchmarks find the code they measure, and where they write.
import { join } from "node:path";
import { cacheFolder } from "@ingest/broker";

/** The repository's root. */
export const root = join(import.meta.dir, "../..");

/** Default folder of reports and logs. */
export const outputFolder = join(root, "out/peers");

/** What is built or installed for a benchmark and kept between runs. */
export function benchmarksCache(): string {
  return join(cacheFolder(), "peers");
}
