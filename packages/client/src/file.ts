// Events in a file, for Bun and Node: lines are appended, and the file is written anew when most of them are obsolete.
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { takeLock } from "./process-lock.ts";
import type { EventStore, SavedEvent } from "./types.ts";

/** The file is rewritten when obsolete lines take this more than the events, bytes. */
const MAX_OBSOLETE_BYTES = 1_048_576;

export interface FileStoreOptions {
  /**
   * Wait for the disk after each event, so that it survives a power failure too. Without it an event survives the end of the
   * process. Default: false.
   */
  fsync?: boolean;
}

/**
 * Keeps events in a file. The file holds the events of the client's queue, so the queue's bounds bound it, and up to 1 MiB
 * and as much again of obsolete lines.
 * @param path for one client at a time; its folder is created
 */
export function createFileStore(path: string, { fsync = false }: FileStoreOptions = {}): EventStore {
  /** By id, in order. */
  const events = new Map<string, string>();
  /** Found at the start, and not taken over yet. */
  let found: SavedEvent[] = [];
  let releaseLock: (() => void) | undefined;
  let file: number | undefined;
  let fileBytes = 0;
  let eventBytes = 0;

  function open(): void {
    mkdirSync(dirname(path), { recursive: true });
    releaseLock = takeLock(`${path}.lock`);
    try {
      for (const [id, json] of readEvents(path)) keep(id, json);
      found = [...events].map(([id, json]) => ({ id, json }));
      // An incomplete last line goes.
      rewrite();
    } catch (error) {
      releaseLock();
      releaseLock = undefined;
      throw error;
    }
  }

  function keep(id: string, json: string): void {
    events.set(id, json);
    eventBytes += Buffer.byteLength(toLine(id, json));
  }

  function append(line: string): void {
    fileBytes += writeAt(file!, fileBytes, line);
    if (fsync) fdatasyncSync(file!);
  }

  /** Replaces the file by one with the events alone. It is complete on disk before it takes the old one's place. */
  function rewrite(): void {
    const temporary = `${path}.new`;
    const next = openSync(temporary, "w", 0o600);
    try {
      fileBytes = writeAt(next, 0, [...events].map(([id, json]) => toLine(id, json)).join(""));
      fsyncSync(next);
      renameSync(temporary, path);
      syncFolder(dirname(path));
    } catch (error) {
      closeSync(next);
      throw error;
    }
    if (file !== undefined) closeSync(file);
    file = next;
  }

  function attempt(write: () => void, onError: (error: unknown) => void): void {
    // Why it could not be opened has been reported.
    if (file === undefined) return;
    try {
      write();
    } catch (error) {
      onError(error);
    }
  }

  return {
    async load(room) {
      if (file === undefined) open();
      let { bytes } = room;
      const fits = ({ json }: SavedEvent) => {
        bytes -= Buffer.byteLength(json);
        return bytes >= 0;
      };
      const end = found.slice(0, room.events).findIndex((event) => !fits(event));
      return found.splice(0, end === -1 ? room.events : end);
    },
    add({ id, json }, onError) {
      attempt(() => {
        append(toLine(id, json));
        keep(id, json);
      }, onError);
    },
    remove(ids, onError) {
      attempt(() => {
        for (const id of ids) {
          const json = events.get(id);
          if (json === undefined) continue;
          events.delete(id);
          eventBytes -= Buffer.byteLength(toLine(id, json));
        }
        if (fileBytes > 2 * eventBytes + MAX_OBSOLETE_BYTES) rewrite();
        else append(`-${JSON.stringify(ids)}\n`);
      }, onError);
    },
    async close() {
      if (file !== undefined) closeSync(file);
      file = undefined;
      releaseLock?.();
    },
  };
}

function toLine(id: string, json: string): string {
  return `+[${JSON.stringify(id)},${json}]\n`;
}

/** The events of a file, none where there is none. Incomplete lines, which a crash leaves, are skipped. */
function readEvents(path: string): Map<string, string> {
  const events = new Map<string, string>();
  for (const line of readText(path).split("\n")) {
    try {
      const content = JSON.parse(line.slice(1)) as [id: string, event: object];
      if (line.startsWith("+")) events.set(content[0], JSON.stringify(content[1]));
      else for (const id of content as unknown as string[]) events.delete(id);
    } catch {}
  }
  return events;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return "";
  }
}

/** @returns bytes @throws Error when the disk is full; the next text then takes the place of what was written of this one */
function writeAt(file: number, position: number, text: string): number {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, position + at);
  return bytes.length;
}

/** A renamed file is safe once its folder is. Windows has no such call. */
function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const folder = openSync(path, "r");
  fsyncSync(folder);
  closeSync(folder);
}
