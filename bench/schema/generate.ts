// Writes report.schema.json from the type in bench/src/report/schema.ts.
import { publishedSchema } from "../src/report/schema.ts";

await Bun.write(new URL("report.schema.json", import.meta.url), publishedSchema());
