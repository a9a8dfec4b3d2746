// Small files written so that a reader sees the old or the new content, never half of one.

import { rename, writeFile } from "node:fs/promises";

/** Replaces a file's content in one step (not synced: a crash of the machine may bring the old one back). */
export async function writeAside(path: string, content: Uint8Array): Promise<void> {
  const draft = `${path}.new`;
  await writeFile(draft, content);
  await rename(draft, path);
}
