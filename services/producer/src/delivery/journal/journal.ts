// An ordered, bounded queue on disk: for events that Kafka can't take now, and for `durable` events.

import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { FileLock } from "@ingest/file-lock";
import type { Log } from "@ingest/service";
import type { JournalState, RefusalCode } from "../types.ts";
import { writeAtomically } from "./atomic-write.ts";
import { type JournalRecord, ReplayCursor } from "./cursor.ts";
import { JournalDisk } from "./disk.ts";
import { adoptOrphans, listSegments, lockFolder, nextId, segmentPath, workerFolder } from "./folder.ts";
import { FolderWatch } from "./folder-watch.ts";
import { GroupCommit } from "./group-commit.ts";
import type { Recordable } from "./record.ts";
import { type Damage, recoverSegment } from "./recover.ts";
import { Segment } from "./segment.ts";
import { SegmentList } from "./segment-list.ts";

export interface JournalOptions {
  /** The parent of the workers' folders. */
  directory: string;
  /** The index of this worker, from 0, and the number of workers. */
  worker: number;
  workers: number;
  topic: string;
  maxBytes: number;
  maxAgeMs: number;
  segmentBytes: number;
  /** How long appends are collected before one fsync serves them all, ms. */
  fsyncIntervalMs: number;
  /** An fsync that runs longer than this counts as failed until it returns, ms. */
  stuckSyncMs?: number;
  log: Log;
  now?: () => number;
}

/** The place of a record in the journal. */
export interface Position {
  readonly segment: Segment;
  readonly ordinal: number;
}

/**
 * Segment ids that are reserved at the start of spooling for events reclaimed from the client, which are older than
 * spooled ones. So many of the smallest segments are 64 GiB, more than a client holds in memory; file names have room
 * for billions of such ranges.
 */
const RESERVED_IDS = 1_000_000;
/** A chunk this large is written at once rather than at the next commit. */
const FLUSH_BYTES = 1024 * 1024;
const MAINTENANCE_MS = 1_000;
/** After so many seconds without a folder, another is created. */
const MAX_MISSED_TICKS = 10;
const STUCK_SYNC_MS = 5_000;

export class Journal {
  /** Records that failed their checksum. */
  corrupt = 0;

  readonly #options: JournalOptions;
  readonly #folder: string;
  readonly #watch: FolderWatch;
  #lock: FileLock;
  readonly #segments = new SegmentList();
  readonly #cursor: ReplayCursor;
  readonly #disk: JournalDisk;
  readonly #commits: GroupCommit;
  readonly #maintenance: Timer;
  readonly #now: () => number;
  readonly #unsavedAcks = new Set<Segment>();
  /** Segments with superseded records, until their acknowledgements are on disk. */
  readonly #superseded = new Set<Segment>();
  #active: Segment | undefined;
  #nextId = 0;
  /** While spooling: the ids reserved for reclaimed events, and the segment they are appended to. */
  #reserved: { nextId: number; readonly endId: number; segment?: Segment } | undefined;
  /** Maintenance has found no folder so many times in a row. */
  #missedTicks = 0;
  #readFailure: string | undefined;
  #isSaveFailing = false;
  #saving: Promise<void> = Promise.resolve();

  private constructor(options: JournalOptions, folder: string, lock: FileLock) {
    this.#options = options;
    this.#folder = folder;
    this.#lock = lock;
    this.#watch = new FolderWatch(folder);
    this.#now = options.now ?? Date.now;
    this.#cursor = new ReplayCursor(this.#segments, (damage) => this.#onDamage(damage));
    this.#disk = new JournalDisk(this.#segments, {
      folder,
      watch: this.#watch,
      log: options.log,
      stuckSyncMs: options.stuckSyncMs ?? STUCK_SYNC_MS,
      retry: () => void this.commit(),
      onSyncFailed: () => this.#sealActive(),
    });
    const intervals = { intervalMs: options.fsyncIntervalMs, lazySyncMs: MAINTENANCE_MS };
    this.#commits = new GroupCommit(this.#disk, intervals);
    this.#maintenance = setInterval(() => this.#maintain(), MAINTENANCE_MS);
    this.#maintenance.unref();
  }

  /**
   * Locks the folder of this worker and reads the segments in it.
   * @throws JournalError when another process uses the folder, or it can't be written
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const folder = workerFolder(options.directory, options.worker);
    const journal = new Journal(options, folder, lockFolder(folder));
    try {
      await journal.#recover();
    } catch (error) {
      await journal.close();
      throw error;
    }
    return journal;
  }

  async #recover(): Promise<void> {
    const { directory, worker, workers, topic, log } = this.#options;
    const adopted = worker === 0 ? adoptOrphans(directory, this.#folder, workers) : [];
    if (adopted.length > 0) log.info({ folders: adopted }, "journals of former workers adopted");
    const files = listSegments(this.#folder);
    this.#nextId = nextId(files);
    for (const file of files) {
      try {
        const { segment, damages } = recoverSegment(file, topic);
        for (const damage of damages) this.#onDamage(damage);
        this.#segments.add(segment);
        this.#removeIfDone(segment);
      } catch (error) {
        this.corrupt++;
        log.error({ error, path: file.path }, "journal file unreadable: keeping it for the next start");
      }
      // Reading a large journal takes a while: give the event loop a turn.
      await new Promise(setImmediate);
    }
    const { unacknowledged: records, bytes } = this.#segments;
    if (records > 0)
      log.info({ records, bytes }, "journal holds records of an earlier process: they are sent first");
  }

  /** The topics of the unacknowledged records, and perhaps of acknowledged ones in the same files. */
  get topics(): string[] {
    const pending = [...this.#segments].filter((segment) => !segment.isDone);
    return [...new Set(pending.flatMap(({ topics }) => [...topics]))];
  }

  /** Why it takes no records now; undefined when it does. */
  get refusal(): RefusalCode | undefined {
    if (this.#disk.failure !== undefined) return "journal_unavailable";
    if (this.#segments.bytes >= this.#options.maxBytes) return "journal_full";
    // Records are replayed oldest first, so newer events would wait even longer than the backlog that is too old.
    if (this.#segments.length > 0 && this.#segments.oldestAgeMs(this.#now()) >= this.#options.maxAgeMs)
      return "journal_full";
    return undefined;
  }

  /** The folder was removed, or another took its place: no record is safe in it. */
  get isDetached(): boolean {
    return this.#disk.isDetached;
  }

  get fsyncs(): number {
    return this.#disk.counts.fsyncs;
  }

  get fsyncFailures(): number {
    return this.#disk.counts.fsyncFailures;
  }

  /** Appends at the end. Never refuses: check `refusal` first where the event can be refused to its caller. */
  append(event: Recordable, receivedMs: number): Position {
    if (this.#active && this.#active.length >= this.#options.segmentBytes) this.#sealActive();
    this.#active ??= this.#newSegment(this.#nextId++);
    return this.#write(this.#active, event, receivedMs);
  }

  /**
   * From now on `append`ed records wait for the cursor, and reclaimed events go before them.
   * Records that are in the journal already have been sent.
   */
  startSpooling(): void {
    this.#cursor.seekToEnd();
    this.#sealActive();
    this.#reserved = { nextId: this.#nextId, endId: this.#nextId + RESERVED_IDS };
    this.#nextId = this.#reserved.endId;
  }

  /** All records were sent: `append`ed ones no longer wait for the cursor. */
  stopSpooling(): void {
    this.#seal(this.#reserved?.segment);
    this.#reserved = undefined;
    this.#cursor.seekToEnd();
  }

  /** Appends an event that was reclaimed from the client: after events sent before it, before events spooled since. */
  appendReclaimed(event: Recordable, receivedMs: number): Position {
    const gap = this.#reserved;
    if (!gap) return this.append(event, receivedMs);
    if (gap.segment && gap.segment.length >= this.#options.segmentBytes) {
      this.#seal(gap.segment);
      delete gap.segment;
    }
    gap.segment ??= this.#newSegment(gap.nextId++);
    return this.#write(gap.segment, event, receivedMs);
  }

  /** Is the record behind events that are reclaimed now? */
  isAfterReclaimed({ segment }: Position): boolean {
    return this.#reserved !== undefined && segment.id >= this.#reserved.endId;
  }

  /** Resolves once all appended records are on disk; false when that failed. */
  commit(): Promise<boolean> {
    return this.#commits.commit();
  }

  /** The next record to send; undefined when all were sent. `unreadable`: reading failed, retry later. */
  peek(): JournalRecord | "unreadable" | undefined {
    try {
      const record = this.#cursor.peek();
      this.#readFailure = undefined;
      return record;
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? String(error);
      if (reason !== this.#readFailure)
        this.#options.log.error({ reason, error }, "journal unreadable: replay is waiting");
      this.#readFailure = reason;
      return "unreadable";
    }
  }

  advance(): void {
    this.#cursor.advance();
  }

  /** Continues replay from the oldest unacknowledged record. */
  rewind(): void {
    this.#cursor.seekToBeginning();
  }

  /** This process doesn't send the record again: another file takes it, and it is acknowledged then. */
  hold({ segment, ordinal }: Position): void {
    segment.held.add(ordinal);
  }

  /** Kafka confirmed the record, or rejected it for good. */
  acknowledge({ segment, ordinal }: Position): void {
    segment.held.delete(ordinal);
    if (!segment.acks.add(ordinal)) return;
    this.#unsavedAcks.add(segment);
    if (segment.unacknowledged === 0) this.#removeIfDone(segment);
  }

  /** The record was just copied to another place in the journal: the original isn't sent again. */
  supersede(original: Position, copy: Position): void {
    this.#disk.trackCopy(copy.segment);
    this.#superseded.add(original.segment);
    original.segment.hasSuperseded = true;
    this.acknowledge(original);
  }

  state(): JournalState {
    return {
      bytes: this.#segments.bytes,
      maxBytes: this.#options.maxBytes,
      records: this.#segments.unacknowledged,
      oldestAgeMs: this.#segments.oldestAgeMs(this.#now()),
      isWritable: this.refusal === undefined,
      ...(this.#disk.failure === undefined ? {} : { failure: this.#disk.failure }),
      segments: this.#segments.length,
    };
  }

  /**
   * Syncs everything to disk and releases the folder.
   * @returns how many records are kept for the next process, and how many could not be written
   */
  async close(): Promise<{ kept: number; lost: number }> {
    clearInterval(this.#maintenance);
    await this.#commits.close();
    this.#disk.close();
    this.#sealActive();
    await this.#scheduleCleanup();
    let [kept, lost] = [0, 0];
    for (const segment of this.#segments) {
      segment.close();
      const unwritten = Math.min(segment.unacknowledged, segment.unwrittenRecords);
      lost += unwritten;
      kept += segment.unacknowledged - unwritten;
    }
    this.#lock.release();
    return { kept, lost };
  }

  #write(segment: Segment, event: Recordable, receivedMs: number): Position {
    const before = segment.length;
    const ordinal = segment.append(event, receivedMs);
    this.#segments.addBytes(segment.length - before);
    if (segment.unwritten >= FLUSH_BYTES && this.#disk.failure === undefined) this.#disk.flush();
    this.#commits.onAppend();
    return { segment, ordinal };
  }

  #newSegment(id: number): Segment {
    const salt = crypto.getRandomValues(new Uint32Array(1))[0]!;
    const path = segmentPath(this.#folder, id, salt);
    const segment = Segment.create(id, salt, path, this.#options.topic, this.#now());
    this.#segments.add(segment);
    this.#disk.onFileCreated();
    return segment;
  }

  #sealActive(): void {
    const segment = this.#active;
    this.#active = undefined;
    this.#seal(segment);
  }

  #seal(segment: Segment | undefined): void {
    if (!segment) return;
    segment.isSealed = true;
    if (segment.isSynced) segment.close();
    this.#removeIfDone(segment);
  }

  #maintain(): void {
    if (!this.#disk.checkFolder() && this.#segments.unacknowledged === 0) this.#attachWhenReplaced();
    for (const segment of this.#segments) {
      if (segment.isSynced) continue;
      void this.commit();
      break;
    }
    void this.#scheduleCleanup();
  }

  /** A missing folder is waited for: somebody may put it back. */
  #attachWhenReplaced(): void {
    this.#missedTicks = existsSync(this.#folder) ? MAX_MISSED_TICKS : this.#missedTicks + 1;
    if (this.#missedTicks >= MAX_MISSED_TICKS) this.#attach();
  }

  /** Moves into the folder that is at the path now. Kafka has every record of the former one. */
  #attach(): void {
    try {
      const lock = lockFolder(this.#folder);
      this.#lock.release();
      this.#lock = lock;
      this.#nextId = Math.max(this.#nextId, nextId(listSegments(this.#folder)));
    } catch {
      return; // It can't be created, or another process uses it.
    }
    for (const segment of [...this.#segments]) {
      this.#segments.remove(segment);
      void segment.remove().catch(() => undefined);
    }
    this.#missedTicks = 0;
    this.#unsavedAcks.clear();
    this.#superseded.clear();
    this.#active = undefined;
    if (this.#reserved) delete this.#reserved.segment;
    this.#cursor.seekToBeginning();
    this.#watch.reset();
    this.#options.log.warn({ folder: this.#folder }, "journal folder was replaced: using the new one");
  }

  #scheduleCleanup(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#cleanUp());
    return this.#saving;
  }

  /** Saves acknowledgements and removes finished segments, but not before the copies of their records are on disk. */
  async #cleanUp(): Promise<void> {
    if (!(await this.#saveSuperseded())) return;
    for (const segment of [...this.#segments]) this.#removeIfDone(segment);
    for (const segment of [...this.#unsavedAcks]) {
      if (this.#superseded.size > 0) return;
      this.#unsavedAcks.delete(segment);
      if (segment.isFlushed) await this.#saveAcks(segment);
    }
  }

  /**
   * Saves the acknowledgements of superseded records, newest segment first. If the process ends in between, the
   * originals that are left are the oldest, and the copies follow them. In the other order, a newer original would be
   * sent before the copy of an older one.
   * @returns false when that has to wait
   */
  async #saveSuperseded(): Promise<boolean> {
    const originals = [...this.#superseded].sort((a, b) => b.id - a.id);
    for (const segment of originals) {
      // More events were reclaimed meanwhile: start again once their copies are on disk.
      if (!this.#disk.canCleanUp || this.#superseded.size !== originals.length) return false;
      await this.#saveAcks(segment);
    }
    if (!this.#disk.canCleanUp || this.#superseded.size !== originals.length) return false;
    this.#superseded.clear();
    return true;
  }

  async #saveAcks(segment: Segment): Promise<void> {
    if (!this.#segments.has(segment)) return;
    try {
      await segment.saveAcks();
      this.#isSaveFailing = false;
    } catch (error) {
      this.#unsavedAcks.add(segment);
      const message = "saving acknowledgements failed: a restart would send records twice";
      if (!this.#isSaveFailing) this.#options.log.warn({ error }, message);
      this.#isSaveFailing = true;
    }
    if (!this.#segments.has(segment)) await segment.remove();
  }

  #removeIfDone(segment: Segment): void {
    if (!segment.isDone || this.#superseded.size > 0 || !this.#disk.canCleanUp) return;
    // The active segment stays, unless it can't be written: none of its records are needed any more.
    if (!segment.isSealed && (segment.isFlushed || this.#disk.failure === undefined)) return;
    if (segment === this.#active) this.#active = undefined;
    if (segment === this.#reserved?.segment) delete this.#reserved.segment;
    if (!this.#segments.remove(segment)) return;
    this.#unsavedAcks.delete(segment);
    segment.remove().catch((error) => this.#options.log.warn({ error }, "removing a journal file failed"));
  }

  #onDamage({ segment, offset, bytes, isTorn, lostRecords }: Damage): void {
    const { log } = this.#options;
    const fields = { segment: segment.id, offset, bytes: bytes.length };
    if (isTorn) {
      log.warn(fields, "torn write at the end of a journal file: intact records are kept");
      return;
    }
    this.corrupt += Math.max(1, lostRecords);
    const path = join(this.#folder, "quarantine", `${segment.id}-${offset}.damaged`);
    log.error({ ...fields, lostRecords, path }, "journal record damaged: quarantining it");
    quarantine(path, bytes).catch((error) =>
      log.error({ error, path }, "quarantining a damaged record failed"),
    );
  }
}

async function quarantine(path: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeAtomically(path, bytes);
}
