import { expect, test } from "bun:test";
import { join } from "node:path";
import { problemCodes, problems } from "@ingest/contract";
import { version } from "@ingest/service";
import { readSettings as readConsumerSettings } from "../services/consumer/src/config.ts";
import { readConfig as readProducerConfig } from "../services/producer/src/config.ts";
import { settingsParts } from "./generate/settings.ts";
import { generatedFiles, staleFiles } from "./generate.ts";
import { root } from "./set-up.ts";

const read = (path: string) => Bun.file(join(root, path)).text();

test("no generated file is stale (`bun run generate`)", async () => {
  expect((await staleFiles()).map(([path]) => path)).toEqual([]);
});

test("every generated file is marked as such for code reviews", async () => {
  const marked = [...(await read(".gitattributes")).matchAll(/^(\S+) .*linguist-generated/gm)].map(
    ([, path]) => path,
  );
  // Only a part of it is generated.
  const whole = Object.keys(generatedFiles).filter((path) => path !== "packages/client/README.md");
  expect(marked).toEqual(expect.arrayContaining(whole));
});

test("the changelog begins with the version of package.json", async () => {
  const newest = /^## \[?(\d+\.\d+\.\d+)/m.exec(await read("CHANGELOG.md"))?.[1];
  expect(newest).toBe(version);
});

test("both services take .env.example, uncommented, for their defaults", async () => {
  const lines = [...(await read(".env.example")).matchAll(/^#([A-Z][A-Z0-9_]*)=(.*)$/gm)];
  const env = Object.fromEntries(lines.map(([, name, value]) => [name!, value]));
  expect(lines.length).toBeGreaterThan(100);
  expect(readProducerConfig(env)).toEqual(readProducerConfig({}));
  expect(readConsumerSettings(env)).toEqual(readConsumerSettings({}));
});

test("every setting has a description", () => {
  const silent = settingsParts.flatMap(([, rows]) =>
    Object.entries(rows)
      .filter(([, row]) => !row.description)
      .map(([name]) => name),
  );
  expect(silent).toEqual([]);
});

test("problems that the documents name exist, with their status", async () => {
  const pages = ["README.md", ...new Bun.Glob("docs/*.md").scanSync(root)];
  const wrong: string[] = [];
  for (const page of pages) {
    for (const [text, status, code] of (await read(page)).matchAll(/`([45]\d\d) ([a-z_]+)`/g)) {
      const isRight = problemCodes.some((name) => name === code && problems[name].status === Number(status));
      if (!isRight) wrong.push(`${page}: ${text}`);
    }
  }
  expect(wrong).toEqual([]);
});
