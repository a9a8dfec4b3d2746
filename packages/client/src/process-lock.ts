// A lock file between processes. It names its holder, so that one left by a process that was killed can be told apart.
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

const heldHere = new Set<string>();

/**
 * @returns a function that releases the lock
 * @throws Error when another process, or another part of this one, holds it
 */
export function takeLock(path: string): () => void {
  if (heldHere.has(path)) throw heldError(path, process.pid);
  const own = `${path}.${process.pid}`;
  writeFileSync(own, JSON.stringify({ pid: process.pid, start: startOf(process.pid) }));
  try {
    // A link appears complete or not at all, and only where there was nothing.
    while (!tryLink(own, path)) removeStale(path, own);
  } finally {
    rmSync(own, { force: true });
  }
  heldHere.add(path);
  return () => {
    heldHere.delete(path);
    rmSync(path, { force: true });
  };
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  }
}

/** @throws Error when the lock's holder runs */
function removeStale(path: string, own: string): void {
  const text = read(path);
  if (text === undefined) return;
  const { pid, start } = JSON.parse(text) as { pid: number; start?: string };
  // A process has this id. Is it the same process? In a new container the same id may be this process's own.
  const isSame = start === undefined ? pid !== process.pid : start === startOf(pid);
  if (isRunning(pid) && isSame) throw heldError(path, pid);
  const aside = `${own}.stale`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  // Another process may have replaced the stale lock since: that one is put back.
  if (read(aside) !== text) tryLink(aside, path);
  rmSync(aside, { force: true });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** When a process started, in ticks since the machine did, where Linux tells; the name in parentheses may hold spaces. */
function startOf(pid: number): string | undefined {
  return read(`/proc/${pid}/stat`)?.split(") ").at(-1)?.split(" ")[19];
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function heldError(path: string, pid: number): Error {
  return new Error(`${path} is held by process ${pid}: give each client a file of its own`);
}
