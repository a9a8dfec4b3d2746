// The folder of a journal: its lock, the file names of segments, and adoption of the folders of former workers.
import { readdirSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { FileLock } from "@ingest/file-lock";
import { JournalError } from "./errors.ts";
import { ackPath } from "./segment.ts";

/** Leaves room for adopted segments before it. */
const FIRST_ID = 1_000_000_000;
const SEGMENT_NAME = /^(\d{16})-([0-9a-f]{8})\.segment$/;
const WORKER_NAME = /^worker-(\d+)$/;
const LOCK_FILE = "lock";

/** A segment's file, as its name describes it. */
export interface SegmentFile {
  id: number;
  salt: number;
  path: string;
}

/**
 * Locks a folder until the lock is released or the process ends, however it ends. Creates the folder.
 * @throws JournalError `locked` when another process holds it, `not_writable` when it can't be created
 */
export function lockFolder(folder: string): FileLock {
  let lock: FileLock | undefined;
  try {
    lock = FileLock.tryTake(join(folder, LOCK_FILE));
  } catch (error) {
    throw new JournalError(
      "not_writable",
      `the journal folder ${folder} is not writable: ${String(error)}`,
      error,
    );
  }
  if (lock === undefined)
    throw new JournalError(
      "locked",
      `another process uses the journal folder ${folder}: end it, or set JOURNAL_DIR to another`,
      undefined,
    );
  return lock;
}

/** The folder of one worker. */
export function workerFolder(directory: string, worker: number): string {
  return join(directory, `worker-${worker}`);
}

/** The segments in a folder, in the order of replay. Removes drafts that a crash left. */
export function listSegments(folder: string): SegmentFile[] {
  const files: SegmentFile[] = [];
  for (const name of readdirSync(folder)) {
    if (name.endsWith(".new")) rmSync(join(folder, name), { force: true });
    const match = SEGMENT_NAME.exec(name);
    if (match)
      files.push({ id: Number(match[1]), salt: Number.parseInt(match[2]!, 16), path: join(folder, name) });
  }
  return files.sort((a, b) => a.id - b.id);
}

export function segmentPath(folder: string, id: number, salt: number): string {
  return join(folder, `${String(id).padStart(16, "0")}-${salt.toString(16).padStart(8, "0")}.segment`);
}

/** The id after the last one in use. */
export function nextId(files: readonly { id: number }[]): number {
  return (files.at(-1)?.id ?? FIRST_ID - 1) + 1;
}

/**
 * Moves the segments of workers that no longer exist (index `workers` or above) before the segments of this folder.
 * Called by the first worker only, so that no two adopt the same segments. Skips folders that are in use.
 * @returns the adopted folders
 */
export function adoptOrphans(directory: string, folder: string, workers: number): string[] {
  const adopted: string[] = [];
  for (const name of readdirSync(directory)) {
    const number = WORKER_NAME.exec(name)?.[1];
    if (number === undefined || Number(number) < workers) continue;
    const orphan = join(directory, name);
    if (moveSegments(orphan, folder)) adopted.push(orphan);
  }
  return adopted;
}

function moveSegments(from: string, to: string): boolean {
  let lock: FileLock;
  try {
    lock = lockFolder(from);
  } catch {
    return false;
  }
  const files = listSegments(from);
  let id = (listSegments(to)[0]?.id ?? FIRST_ID) - files.length;
  for (const file of files) {
    const target = segmentPath(to, id++, file.salt);
    // Acknowledgements first: a crash in between then leaves records that are sent twice, but no stray file.
    renameIfExists(ackPath(file.path), ackPath(target));
    renameSync(file.path, target);
  }
  lock.release();
  rmSync(join(from, LOCK_FILE), { force: true });
  try {
    rmdirSync(from);
  } catch {
    // It contains quarantined files, for a person to look at.
  }
  return files.length > 0;
}

function renameIfExists(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
