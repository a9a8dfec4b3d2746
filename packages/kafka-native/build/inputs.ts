// Hashes of everything that a build's result depends on.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

function* files(dir: string): Generator<string> {
  const entries = readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else if (entry.isFile() && !entry.name.endsWith(".test.ts")) yield path;
  }
}

export interface Inputs {
  /** Files, and folders with all that is in them; names count relative to `root`, so that a move changes nothing. */
  paths: readonly string[];
  root: string;
  /** Flags, versions and whatever else counts. */
  facts: readonly string[];
}

/** A hex digest that changes when any of the inputs does. */
export function hashInputs({ paths, root, facts }: Inputs): string {
  const hasher = new Bun.CryptoHasher("sha256");
  const add = (name: string, content: string | Uint8Array): void => {
    // Lengths keep neighbours apart: ("ab", "c") must not hash like ("a", "bc").
    hasher.update(`${name.length}:${name}:${content.length}:`);
    hasher.update(content);
  };
  for (const [index, fact] of facts.entries()) add(`fact ${index}`, fact);
  for (const path of paths) {
    const members = readdirSafe(path);
    for (const file of members) add(relative(root, file), readFileSync(file));
  }
  return hasher.digest("hex").slice(0, 32);
}

function readdirSafe(path: string): string[] {
  try {
    return [...files(path)];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return [path];
    throw error;
  }
}
