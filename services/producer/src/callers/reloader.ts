// Reads CALLERS_FILE again when it changes or on request: a file without problems replaces the callers as a whole.
import { statSync } from "node:fs";
import type { Log } from "@ingest/service";
import { readTextFile } from "../text-file.ts";
import type { CallerDirectory } from "./directory.ts";
import { type Callers, FileProblems } from "./parse-file.ts";

export interface ReloaderOptions {
  path: string;
  /** What the file contained at the start. */
  text: string;
  parse(text: string): Callers | FileProblems;
  directory: Pick<CallerDirectory, "replace">;
  log: Log;
}

/** How often the file is looked at, ms. Its state is polled: that works for atomic renames, symlinks and network disks. */
const POLL_MS = 1_000;

export class CallersReloader {
  readonly #options: ReloaderOptions;
  #timer: Timer | undefined;
  #state = "";
  /** The file as it was last tried, or why it could not be read. */
  #text: string | FileProblems;
  /** Reloads by result. */
  readonly counts = { success: 0, failure: 0 };
  /** When the callers in use were read, Unix ms. */
  loadedMs = Date.now();

  constructor(options: ReloaderOptions) {
    this.#options = options;
    this.#text = options.text;
  }

  start(): void {
    this.#timer = setInterval(() => this.#poll(), POLL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Keeps the callers in use when the file can't be read, or has any problem. */
  reload(): void {
    const { path, parse, directory, log } = this.#options;
    this.#state = stateOf(path);
    this.#text = read(path);
    const callers = this.#text instanceof FileProblems ? this.#text : parse(this.#text);
    if (callers instanceof FileProblems) {
      this.counts.failure++;
      log.error(
        { path, problems: callers.problems },
        "callers file is invalid: keeping the previous callers",
      );
      return;
    }
    directory.replace(callers);
    this.counts.success++;
    this.loadedMs = Date.now();
    log.info({ path, callers: callers.callers.length, keys: callers.keys.size }, "callers reloaded");
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
