// Finished builds, kept by the hash of their inputs.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { withFileLock } from "@ingest/file-lock";
import type { Progress } from "./progress.ts";

/** How many builds of one kind are kept; the least recently used are removed. */
const keptEntries = 4;

export interface CacheEntry {
  /** The cache's folder. */
  root: string;
  /** "librdkafka" or "addon". */
  kind: string;
  key: string;
}

function prune(kindDir: string): void {
  const entries = readdirSync(kindDir)
    .map((name) => join(kindDir, name))
    .map((path) => ({ path, usedAt: statSync(path).mtimeMs }))
    .sort((a, b) => b.usedAt - a.usedAt);
  for (const { path } of entries.slice(keptEntries)) rmSync(path, { recursive: true, force: true });
}

/**
 * The folder of a finished build: the cached one, or else what `build` fills the given empty folder with. A
 * folder appears under its key only when `build` has succeeded, and by one rename.
 */
export async function cached(
  { root, kind, key }: CacheEntry,
  progress: Progress,
  build: (dir: string) => Promise<void>,
): Promise<string> {
  const finished = join(root, kind, key);
  const work = join(root, "work", `${kind}-${key}-${process.pid}`);
  mkdirSync(dirname(finished), { recursive: true });
  const onWait = (): void => progress.print(`another install is building ${kind}; waiting for it`);
  const buildOnce = async (): Promise<void> => {
    if (existsSync(finished)) {
      const now = new Date();
      utimesSync(finished, now, now);
      return;
    }
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    try {
      await build(work);
      renameSync(work, finished);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
    prune(dirname(finished));
  };
  await withFileLock(join(root, "locks", `${kind}-${key}.lock`), buildOnce, onWait);
  return finished;
}
