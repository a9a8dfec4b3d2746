// Reads a file of settings again when it changes or on request: one without problems replaces the former as a whole.
import { statSync } from "node:fs";
import type { Log } from "@ingest/service";
import { FileProblems } from "./file-problems.ts";
import { readTextFile } from "./text-file.ts";

export interface FileReloaderOptions<T> {
  /** What the file contains, in messages: as `callers`. */
  subject: "callers" | "routes";
  path: string;
  /** What the file contained at the start. */
  text: string;
  parse(text: string): T | FileProblems;
  /** From now on the new contents are used. @returns what to log about them */
  replace(contents: T): Record<string, number>;
  log: Log;
}

/** How often the file is looked at, ms. Its state is polled: that works for atomic renames, symlinks and network disks. */
const POLL_MS = 1_000;

export class FileReloader<T> {
  readonly #options: FileReloaderOptions<T>;
  #timer: Timer | undefined;
  #state = "";
  /** The file as it was last tried, or why it could not be read. */
  #text: string | FileProblems;
  /** Reloads by result. */
  readonly counts = { success: 0, failure: 0 };
  /** When the contents in use were read, Unix ms. */
  loadedMs = Date.now();

  constructor(options: FileReloaderOptions<T>) {
    this.#options = options;
    this.#text = options.text;
  }

  start(): void {
    this.#timer = setInterval(() => this.#poll(), POLL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Keeps the contents in use when the file can't be read, or has any problem. */
  reload(): void {
    const { subject, path, parse, replace, log } = this.#options;
    this.#state = stateOf(path);
    this.#text = read(path);
    const contents = this.#text instanceof FileProblems ? this.#text : parse(this.#text);
    if (contents instanceof FileProblems) {
      this.counts.failure++;
      log.error(
        { path, problems: contents.problems },
        `${subject} file is invalid: keeping the previous ${subject}`,
      );
      return;
    }
    this.counts.success++;
    this.loadedMs = Date.now();
    log.info({ path, ...replace(contents) }, `${subject} reloaded`);
  }

  #poll(): void {
    const { path } = this.#options;
    const state = stateOf(path);
    if (state === this.#state) return;
    this.#state = state;
    // A touched file, or a link to the same contents.
    if (read(path) !== this.#text) this.reload();
  }
}

/** What changes with the file that the path leads to. */
function stateOf(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "unknown";
  }
}

function read(path: string): string | FileProblems {
  try {
    return readTextFile(path);
  } catch (error) {
    return new FileProblems([{ pointer: "", message: (error as Error).message }]);
  }
}
