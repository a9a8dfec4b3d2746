// Gets what was appended onto the disk, notices when the disk doesn't take it, and tries again until it does.

import type { Log } from "@ingest/service";
import { syncFolder } from "./atomic-write.ts";
import type { GroupCommitTarget } from "./group-commit.ts";
import type { Segment } from "./segment.ts";
import type { SegmentList } from "./segment-list.ts";

export interface DiskOptions {
  folder: string;
  log: Log;
  /** An fsync that runs for longer is taken for one that failed, until it returns, ms. */
  stuckSyncMs: number;
  /** Asks for another try. */
  retry(): void;
  /** After a failed fsync nobody knows what is on the disk: what comes next should go to another file. */
  onSyncFailed(): void;
}

const RETRY_MS = 250;

export class JournalDisk implements GroupCommitTarget {
  readonly counts = { fsyncs: 0, fsyncFailures: 0 };
  readonly #segments: SegmentList;
  readonly #options: DiskOptions;
  #failure: string | undefined;
  #timer: Timer | undefined;
  #isFolderDirty = false;
  /** Segments that hold copies, and up to which length: the originals outlast the fsync of that. */
  readonly #copies = new Map<Segment, number>();

  constructor(segments: SegmentList, options: DiskOptions) {
    this.#segments = segments;
    this.#options = options;
  }

  /** The system's code for why nothing can be written now; undefined when all is well. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** A file was made: its name has to last too. */
  onFileCreated(): void {
    this.#isFolderDirty = true;
  }

  /** What was appended to `segment` last is a copy of a record elsewhere. */
  trackCopy(segment: Segment): void {
    this.#copies.set(segment, segment.length);
  }

  /** May acknowledged records be forgotten? Not while something that replaces one of them is in memory only. */
  get canCleanUp(): boolean {
    for (const [segment, length] of this.#copies)
      if ((segment.synced >= length && !segment.hasFailedSync) || segment.isDone)
        this.#copies.delete(segment);
    return this.#copies.size === 0;
  }

  flush(): boolean {
    try {
      // In order: what a killed process leaves is then always the older part.
      for (const segment of this.#segments)
        if (!segment.isDone || !segment.isSealed || segment.hasSuperseded) segment.flush();
    } catch (error) {
      this.#failed(error);
      return false;
    }
    if (this.#failure !== undefined) {
      this.#options.log.info({ reason: this.#failure }, "the journal can be written again");
      this.#failure = undefined;
    }
    return true;
  }

  async sync(): Promise<boolean> {
    const wasFolderDirty = this.#isFolderDirty;
    const dirty = [...this.#segments].filter((segment) => !segment.isSynced);
    const stuck = setTimeout(() => this.#failed({ code: "fsync_stuck" }), this.#options.stuckSyncMs);
    try {
      this.counts.fsyncs++;
      this.#isFolderDirty = false;
      if (wasFolderDirty) await syncFolder(this.#options.folder);
      await Promise.all(dirty.map(syncSegment));
    } catch (error) {
      this.counts.fsyncFailures++;
      this.#isFolderDirty ||= wasFolderDirty;
      this.#options.onSyncFailed();
      this.#failed(error);
      return false;
    } finally {
      clearTimeout(stuck);
    }
    for (const segment of dirty) if (segment.isSealed && segment.isSynced) segment.close();
    return true;
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #failed(error: unknown): void {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    if (this.#failure !== reason)
      this.#options.log.error({ reason, error }, "the journal can't be written: refusing what it is for");
    this.#failure = reason;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#options.retry();
    }, RETRY_MS);
  }
}

async function syncSegment(segment: Segment): Promise<void> {
  try {
    await segment.sync();
  } catch (error) {
    segment.hasFailedSync = true;
    throw error;
  }
}
