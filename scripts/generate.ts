#!/usr/bin/env bun
// Writes every file that is made from code: bun run generate. `--check` only names those that are stale.
import { join } from "node:path";
import { publishedSchema as benchSchema } from "../bench/src/report/schema.ts";
import { publishedSchema as peersSchema } from "../benchmarks/peers/report-schema.ts";
import { type Command, commandLineOrExit } from "../packages/cli-flags/src/index.ts";
import { propertiesFile } from "../packages/kafka/build/configuration-table.ts";
import { callersSchema } from "../services/producer/src/callers/file-schema.ts";
import { routesSchema } from "../services/producer/src/routes/file-schema.ts";
import { clientReadme } from "./generate/client-sizes.ts";
import { problemsPage } from "./generate/problems.ts";
import { environmentExample, settingsPage } from "./generate/settings.ts";
import { root } from "./set-up.ts";

/** What each file contains, by its path from the root. */
export const generatedFiles: Readonly<Record<string, () => string>> = {
  ".env.example": environmentExample,
  "bench/schema/report.schema.json": benchSchema,
  "benchmarks/peers/report.schema.json": peersSchema,

  "docs/callers.schema.json": callersSchema,
  "docs/problems.md": problemsPage,
  "docs/routes.schema.json": routesSchema,
  "docs/settings.md": settingsPage,
  "packages/client/README.md": clientReadme,
  "packages/kafka/src/librdkafka-properties.json": propertiesFile,
};

/** The generated files that are stale, with the text that they should contain. */
export async function staleFiles(): Promise<[path: string, contents: string][]> {
  const stale: [string, string][] = [];
  for (const [path, toContents] of Object.entries(generatedFiles)) {
    const file = Bun.file(join(root, path));
    const contents = toContents();
    if (!(await file.exists()) || (await file.text()) !== contents) stale.push([path, contents]);
  }
  return stale;
}

const flags = {
  check: { kind: "switch", help: "write nothing: list the stale files, exit code 1 if there are any" },
} as const;

const command: Command<typeof flags> = {
  name: "bun run generate",
  about: "Writes every file that is generated from code.",
  flags,
};

if (import.meta.main) {
  const { values } = await commandLineOrExit(command, process.argv.slice(2));
  const stale = await staleFiles();
  if (values.check) {
    for (const [path] of stale) console.log(`${path} is stale: bun run generate`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    for (const [path, contents] of stale) {
      await Bun.write(join(root, path), contents);
      console.log(`${path} written`);
    }
  }
}
