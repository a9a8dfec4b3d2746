// The sizes in the client's README, measured.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzippedBytes } from "../../packages/client/build/package.ts";
import { root } from "../set-up.ts";

const START = "<!-- client sizes -->";
const END = "<!-- /client sizes -->";

/** packages/client/README.md, whole. */
export function clientReadme(): string {
  const text = readFileSync(join(root, "packages/client/README.md"), "utf8");
  const [before, rest] = text.split(START);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined)
    throw new Error(`packages/client/README.md has no ${START}`);
  const kB = (entry: Parameters<typeof gzippedBytes>[0]) => `${(gzippedBytes(entry) / 1_000).toFixed(1)} kB`;
  const sizes = `Gzipped: ${kB("index")}; the store in IndexedDB ${kB("indexeddb")}, the store in a file ${kB("file")} more.`;
  return `${before}${START}\n${sizes}\n${END}${after}`;
}
