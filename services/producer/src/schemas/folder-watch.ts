// Notices when the schema files of a folder change. It compares names, sizes and times, so it works for folders that
// report no events: network file systems, and Kubernetes' mounts, which replace a link.
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { pause } from "@ingest/wait";
import { isSchemaFile } from "./file-name.ts";

const INTERVAL_MS = 1_000;

export class FolderWatch {
  readonly #folder: string;
  readonly #onChange: () => void;
  readonly #intervalMs: number;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  /** @param onChange the folder has changed, and then not for a whole interval */
  constructor(folder: string, onChange: () => void, intervalMs = INTERVAL_MS) {
    this.#folder = folder;
    this.#onChange = onChange;
    this.#intervalMs = intervalMs;
  }

  async start(): Promise<void> {
    this.#running = this.#watch(await fingerprint(this.#folder), this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #watch(initial: string, signal: AbortSignal): Promise<void> {
    let reported = initial;
    let previous = initial;
    for (;;) {
      await pause(this.#intervalMs, signal);
      if (signal.aborted) return;
      const current = await fingerprint(this.#folder);
      // A file that is being written changes again.
      if (current !== reported && current === previous) {
        reported = current;
        this.#onChange();
      }
      previous = current;
    }
  }
}

async function fingerprint(folder: string): Promise<string> {
  try {
    const files = (await readdir(folder)).filter(isSchemaFile).sort();
    const states = files.map(async (file) => {
      const { mtimeMs, size, ino } = await stat(join(folder, file));
      return `${file} ${mtimeMs} ${size} ${ino}`;
    });
    return (await Promise.all(states)).join("\n");
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
