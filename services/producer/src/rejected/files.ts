// The files of rejected events: the one that the producer appends to, and those that a replay has taken over.

import { existsSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { RejectedLine } from "../delivery/rejected-events.ts";

const CURRENT = "rejected.ndjson";
const TAKEN = /^rejected-\d+\.ndjson$/;

export interface RejectedEvent extends RejectedLine {
  /** The file and line it is in, for messages. */
  place: string;
}

/** All files below the journal's folder, the oldest first in each worker's folder. */
export function rejectedFiles(journalDir: string): string[] {
  if (!existsSync(journalDir)) return [];
  const workers = readdirSync(journalDir).filter((name) => name.startsWith("worker-"));
  return workers.sort().flatMap((worker) => {
    const folder = join(journalDir, worker);
    const names = readdirSync(folder).filter((name) => name === CURRENT || TAKEN.test(name));
    // "rejected-…" sorts before "rejected.…".
    return names.sort().map((name) => join(folder, name));
  });
}

/** Takes a file over: the producer begins another one. @returns its new path */
export function takeOver(path: string): string {
  if (basename(path) !== CURRENT) return path;
  const taken = join(dirname(path), `rejected-${Date.now()}.ndjson`);
  renameSync(path, taken);
  return taken;
}

/**
 * The events in a file. A last line that isn't complete yet is left out.
 * @throws Error naming the line that isn't a rejected event
 */
export function readRejected(path: string): RejectedEvent[] {
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((text, index) => {
    const place = `${path}:${index + 1}`;
    try {
      return { ...(JSON.parse(text) as RejectedLine), place };
    } catch {
      throw new Error(`${place} is not a rejected event`);
    }
  });
}
