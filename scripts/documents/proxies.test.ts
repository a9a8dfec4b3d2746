// docs/proxies.md shows the files of deploy/proxies, which are tested, and not copies that have aged.
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../set-up.ts";

const folder = join(root, "deploy/proxies");

test("each file is on the page as it is", () => {
  const page = readFileSync(join(root, "docs/proxies.md"), "utf8");
  const shown = [...page.matchAll(/^\[deploy\/proxies\/([^\]]+)\].*:\n\n```\w+\n([^`]*)```$/gm)];
  expect(shown.map(([, file]) => file!).sort()).toEqual(readdirSync(folder).sort());
  for (const [, file, text] of shown) expect(text).toBe(readFileSync(join(folder, file!), "utf8"));
});
