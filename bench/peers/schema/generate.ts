// Writes the report's JSON Schema beside this file: bun bench/peers/schema/generate.ts
import { join } from "node:path";
import { publishedSchema } from "../src/report-schema.ts";

await Bun.write(join(import.meta.dir, "report.schema.json"), publishedSchema());
