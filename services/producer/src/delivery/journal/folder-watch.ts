// Notices that the journal's folder was removed, or that another folder took its place: files that are written then are
// lost with the process.

import { type BigIntStats, statSync } from "node:fs";

export class FolderWatch {
  readonly #path: string;
  #identity: string | undefined;

  /** @param path an existing folder */
  constructor(path: string) {
    this.#path = path;
    this.#identity = this.#read();
  }

  /** Is the folder that is at the path the one that was there at the start? */
  get isInPlace(): boolean {
    const found = this.#read();
    return found !== undefined && found === this.#identity;
  }

  /** The folder that is at the path now is the one to watch. */
  reset(): void {
    this.#identity = this.#read();
  }

  #read(): string | undefined {
    const stats: BigIntStats | undefined = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    return stats && `${stats.dev}:${stats.ino}`;
  }
}
