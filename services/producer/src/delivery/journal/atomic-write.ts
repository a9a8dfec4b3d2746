// Files that survive a crash: replaced in one step, and folders whose new names are on disk.

import { open, rename, writeFile } from "node:fs/promises";

/** Replaces a file's content in one step. Not synced: a crash of the machine may bring the old content back. */
export async function writeAtomically(path: string, content: Uint8Array): Promise<void> {
  const draft = `${path}.new`;
  await writeFile(draft, content);
  await rename(draft, path);
}

/** Makes new file names in a folder survive a crash of the machine. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}
