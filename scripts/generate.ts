#!/usr/bin/env bun
// Writes every file that is made from code: bun run generate. A test fails when one of them is stale.
import { join } from "node:path";
import { publishedSchema as peersSchema } from "../bench/peers/src/report-schema.ts";
import { publishedSchema as benchSchema } from "../bench/src/report/schema.ts";
import { propertiesFile } from "../packages/kafka/build/configuration-table.ts";
import { problemsPage } from "./generate/problems.ts";
import { environmentExample, settingsPage } from "./generate/settings.ts";
import { root } from "./set-up.ts";

/** What each file contains, by its path from the root. */
export const generatedFiles: Readonly<Record<string, () => string>> = {
  ".env.example": environmentExample,
  "bench/peers/schema/report.schema.json": peersSchema,
  "bench/schema/report.schema.json": benchSchema,
  "docs/problems.md": problemsPage,
  "docs/settings.md": settingsPage,
  "packages/kafka/src/librdkafka-properties.json": propertiesFile,
};

if (import.meta.main) {
  for (const [path, contents] of Object.entries(generatedFiles)) {
    const file = Bun.file(join(root, path));
    const text = contents();
    if ((await file.exists()) && (await file.text()) === text) continue;
    await Bun.write(file, text);
    console.log(`${path} written`);
  }
}
