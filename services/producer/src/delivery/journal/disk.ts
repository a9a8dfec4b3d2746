// Writes appended records to disk, detects a failing disk, and retries until it works again.

import type { Log } from "@ingest/service";
import { syncFolder } from "./atomic-write.ts";
import type { FolderWatch } from "./folder-watch.ts";
import type { GroupCommitTarget } from "./group-commit.ts";
import type { Segment } from "./segment.ts";
import type { SegmentList } from "./segment-list.ts";

export interface DiskOptions {
  folder: string;
  watch: FolderWatch;
  log: Log;
  /** An fsync that runs longer than this counts as failed until it returns, ms. */
  stuckSyncMs: number;
  /** Requests another commit. */
  retry(): void;
  /** After a failed fsync the content of the file is uncertain: later records should go to another file. */
  onSyncFailed(): void;
}

const RETRY_MS = 250;
/** The failure while the folder is not the one that was opened. */
const FOLDER_REPLACED = "folder_replaced";

export class JournalDisk implements GroupCommitTarget {
  readonly counts = { fsyncs: 0, fsyncFailures: 0 };
  readonly #segments: SegmentList;
  readonly #options: DiskOptions;
  #failure: string | undefined;
  #timer: Timer | undefined;
  #isFolderDirty = false;
  /** Segments that contain copies, with the length that has to be synced before the originals may go. */
  readonly #copies = new Map<Segment, number>();

  constructor(segments: SegmentList, options: DiskOptions) {
    this.#segments = segments;
    this.#options = options;
  }

  /** The error code while the journal can't be written; undefined while it can. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** The folder was removed, or another took its place: what is written is lost with this process. */
  get isDetached(): boolean {
    return this.#failure === FOLDER_REPLACED;
  }

  /** Looks whether the folder is still in place. */
  checkFolder(): boolean {
    if (this.#options.watch.isInPlace) return true;
    this.#onFailure({ code: FOLDER_REPLACED });
    return false;
  }

  /** A file was created: the next sync includes its name. */
  onFileCreated(): void {
    this.#isFolderDirty = true;
  }

  /** The record appended to `segment` last is a copy of a record elsewhere. */
  trackCopy(segment: Segment): void {
    this.#copies.set(segment, segment.length);
  }

  /** May acknowledged records be removed? Not while a copy of one of them is in memory only. */
  get canCleanUp(): boolean {
    for (const [segment, length] of this.#copies)
      if ((segment.synced >= length && !segment.hasFailedSync) || segment.isDone)
        this.#copies.delete(segment);
    return this.#copies.size === 0;
  }

  flush(): boolean {
    if (!this.checkFolder()) return false;
    try {
      // Oldest first, so that a killed process always leaves the older records.
      for (const segment of this.#segments)
        if (!segment.isDone || !segment.isSealed || segment.hasSuperseded) segment.flush();
    } catch (error) {
      this.#onFailure(error);
      return false;
    }
    if (this.#failure !== undefined) {
      this.#options.log.info({ reason: this.#failure }, "journal writable again");
      this.#failure = undefined;
    }
    return true;
  }

  async sync(): Promise<boolean> {
    const wasFolderDirty = this.#isFolderDirty;
    const dirty = [...this.#segments].filter((segment) => !segment.isSynced);
    const stuck = setTimeout(() => this.#onFailure({ code: "fsync_stuck" }), this.#options.stuckSyncMs);
    try {
      this.counts.fsyncs++;
      this.#isFolderDirty = false;
      if (wasFolderDirty) await syncFolder(this.#options.folder);
      await Promise.all(dirty.map(syncSegment));
      if (!this.#options.watch.isInPlace)
        throw Object.assign(new Error("the folder was removed or replaced"), { code: FOLDER_REPLACED });
    } catch (error) {
      this.counts.fsyncFailures++;
      this.#isFolderDirty ||= wasFolderDirty;
      this.#options.onSyncFailed();
      this.#onFailure(error);
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

  #onFailure(error: unknown): void {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    if (this.#failure !== reason)
      this.#options.log.error({ reason, error }, "journal not writable: refusing events that need it");
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
    if (segment.isUnlinked)
      throw Object.assign(new Error(`${segment.path} was removed`), { code: "file_removed" });
  } catch (error) {
    segment.hasFailedSync = true;
    throw error;
  }
}
