// What Kafka can't take now, and what was promised to survive this process: an ordered, bounded queue on disk.

import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { FileLock } from "@ingest/file-lock";
import type { Log } from "@ingest/service";
import type { JournalState, RefusalCode } from "../types.ts";
import { writeAtomically } from "./atomic-write.ts";
import { type JournalRecord, ReplayCursor } from "./cursor.ts";
import { JournalDisk } from "./disk.ts";
import { adoptOrphans, listSegments, lockFolder, nextId, segmentPath, workerFolder } from "./folder.ts";
import { GroupCommit } from "./group-commit.ts";
import { type Damage, recoverSegment } from "./recover.ts";
import { type Recordable, Segment } from "./segment.ts";
import { SegmentList } from "./segment-list.ts";

export interface JournalOptions {
  /** Where the workers' folders are. */
  directory: string;
  /** This process's number among the workers, from 0, and how many there are. */
  worker: number;
  workers: number;
  topic: string;
  maxBytes: number;
  maxAgeMs: number;
  segmentBytes: number;
  /** How long appends are collected before one fsync serves them all, ms. */
  fsyncIntervalMs: number;
  /** An fsync that runs for longer counts as failed while it does, ms. */
  stuckSyncMs?: number;
  log: Log;
  now?: () => number;
}

/** Where a record was written down. */
export interface Position {
  readonly segment: Segment;
  readonly ordinal: number;
}

/**
 * Ids left free at the start of each spool, for what comes back from the client: it is older. So many of the smallest
 * files are 64 GiB, more than a client holds in memory; a name has room for thousands of millions of such gaps.
 */
const RESERVED_IDS = 1_000_000;
/** A chunk this large is written at once rather than at the next commit. */
const FLUSH_BYTES = 1024 * 1024;
const MAINTENANCE_MS = 1_000;
const STUCK_SYNC_MS = 5_000;

export class Journal {
  /** Records that failed their checksum. */
  corrupt = 0;

  readonly #options: JournalOptions;
  readonly #folder: string;
  readonly #lock: FileLock;
  readonly #segments = new SegmentList();
  readonly #cursor: ReplayCursor;
  readonly #disk: JournalDisk;
  readonly #commits: GroupCommit;
  readonly #maintenance: Timer;
  readonly #now: () => number;
  readonly #unsavedAcks = new Set<Segment>();
  /** Segments with originals of records that were put back elsewhere, until the disk knows that. */
  readonly #superseded = new Set<Segment>();
  #active: Segment | undefined;
  #nextId = 0;
  /** While spooling: the ids left for what comes back, and the segment in use for it. */
  #reserved: { nextId: number; readonly endId: number; segment?: Segment } | undefined;
  #readFailure: string | undefined;
  #isSaveFailing = false;
  #saving: Promise<void> = Promise.resolve();

  private constructor(options: JournalOptions, folder: string, lock: FileLock) {
    this.#options = options;
    this.#folder = folder;
    this.#lock = lock;
    this.#now = options.now ?? Date.now;
    this.#cursor = new ReplayCursor(this.#segments, (damage) => this.#onDamage(damage));
    this.#disk = new JournalDisk(this.#segments, {
      folder,
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
   * Takes the folder of this worker and reads what a former process left there.
   * @throws JournalError when the folder is another process's or can't be written
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
    if (adopted.length > 0) log.info({ folders: adopted }, "took over journals of former workers");
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
        log.error(
          { error, path: file.path },
          "a journal file can't be read: left as it is for the next start",
        );
      }
      // A large journal takes a while to read: let others have a turn.
      await new Promise(setImmediate);
    }
    const { open: records, bytes } = this.#segments;
    if (records > 0) log.info({ records, bytes }, "a former process left records: they go first");
  }

  /** The topics that records which aren't acknowledged are for. */
  get topics(): string[] {
    const open = [...this.#segments].filter((segment) => !segment.isDone);
    return [...new Set(open.map(({ topic }) => topic))];
  }

  /** Why it takes nothing now; undefined when it does. */
  get refusal(): RefusalCode | undefined {
    if (this.#disk.failure !== undefined) return "journal_unavailable";
    if (this.#segments.bytes >= this.#options.maxBytes) return "journal_full";
    // Oldest first is the only order, so a backlog that is too old is one that newer events shouldn't join.
    if (this.#segments.length > 0 && this.#segments.oldestAgeMs(this.#now()) >= this.#options.maxAgeMs)
      return "journal_full";
    return undefined;
  }

  get fsyncs(): number {
    return this.#disk.counts.fsyncs;
  }

  get fsyncFailures(): number {
    return this.#disk.counts.fsyncFailures;
  }

  /** Appends at the end. Never refuses: ask `refusal` first where the event can be given back to its sender. */
  append(event: Recordable, timestampMs: number): Position {
    if (this.#active && this.#active.length >= this.#options.segmentBytes) this.#sealActive();
    this.#active ??= this.#newSegment(this.#nextId++);
    return this.#write(this.#active, event, timestampMs);
  }

  /**
   * From now on `append`ed records wait for the cursor, and what is put back comes before them.
   * What is in the journal already has been sent.
   */
  startSpooling(): void {
    this.#cursor.seekToEnd();
    this.#sealActive();
    this.#reserved = { nextId: this.#nextId, endId: this.#nextId + RESERVED_IDS };
    this.#nextId = this.#reserved.endId;
  }

  /** Everything was sent: `append`ed records no longer wait. */
  stopSpooling(): void {
    this.#seal(this.#reserved?.segment);
    this.#reserved = undefined;
    this.#cursor.seekToEnd();
  }

  /** Writes down an event that came back unsent: after what was sent before it, before what was spooled since. */
  appendReclaimed(event: Recordable, timestampMs: number): Position {
    const gap = this.#reserved;
    if (!gap) return this.append(event, timestampMs);
    if (gap.segment && gap.segment.length >= this.#options.segmentBytes) {
      this.#seal(gap.segment);
      delete gap.segment;
    }
    gap.segment ??= this.#newSegment(gap.nextId++);
    return this.#write(gap.segment, event, timestampMs);
  }

  /** Does the record stand behind what is put back now? */
  isAfterReclaimed({ segment }: Position): boolean {
    return this.#reserved !== undefined && segment.id >= this.#reserved.endId;
  }

  /** Resolves once all that was appended is on the disk; false when the disk doesn't take it. */
  commit(): Promise<boolean> {
    return this.#commits.request();
  }

  /** The next record to send; undefined when all were sent. `unreadable`: the disk doesn't give it now, ask again later. */
  peek(): JournalRecord | "unreadable" | undefined {
    try {
      const record = this.#cursor.peek();
      this.#readFailure = undefined;
      return record;
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? String(error);
      if (reason !== this.#readFailure)
        this.#options.log.error({ reason, error }, "the journal can't be read: what is in it has to wait");
      this.#readFailure = reason;
      return "unreadable";
    }
  }

  advance(): void {
    this.#cursor.advance();
  }

  /** Send again from the oldest record that isn't acknowledged. */
  rewind(): void {
    this.#cursor.seekToBeginning();
  }

  /** Kafka has the record, or refuses it for good. */
  acknowledge({ segment, ordinal }: Position): void {
    if (!segment.acks.add(ordinal)) return;
    this.#unsavedAcks.add(segment);
    if (segment.open === 0) this.#removeIfDone(segment);
  }

  /** The record was put back elsewhere in the journal, just now: this one isn't sent again. */
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
      records: this.#segments.open,
      oldestAgeMs: this.#segments.oldestAgeMs(this.#now()),
      isWritable: this.refusal === undefined,
      segments: this.#segments.length,
    };
  }

  /**
   * Puts everything on the disk and gives the folder free.
   * @returns how many records are left for the next process, and how many the disk didn't take
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
      const unwritten = Math.min(segment.open, segment.unwrittenRecords);
      lost += unwritten;
      kept += segment.open - unwritten;
    }
    this.#lock.release();
    return { kept, lost };
  }

  #write(segment: Segment, event: Recordable, timestampMs: number): Position {
    const before = segment.length;
    const ordinal = segment.append(event, timestampMs);
    this.#segments.addBytes(segment.length - before);
    if (segment.unwritten >= FLUSH_BYTES && this.#disk.failure === undefined) this.#disk.flush();
    this.#commits.note();
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
    for (const segment of this.#segments) {
      if (segment.isSynced) continue;
      void this.commit();
      break;
    }
    void this.#scheduleCleanup();
  }

  #scheduleCleanup(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#cleanUp());
    return this.#saving;
  }

  /** Writes down what is acknowledged and removes what is done: neither before copies made of it are on the disk. */
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
   * Originals of copied records are written off newest first. Should the process end in between, those that are left
   * are the oldest, and what follows them comes from the copies; the other way round a younger record would be sent
   * before an older one.
   * @returns false when that has to wait
   */
  async #saveSuperseded(): Promise<boolean> {
    const originals = [...this.#superseded].sort((a, b) => b.id - a.id);
    for (const segment of originals) {
      // More may have been put back meanwhile: from the start then, once that is on the disk.
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
      const message = "acknowledgements can't be saved yet: a restart would send records twice";
      if (!this.#isSaveFailing) this.#options.log.warn({ error }, message);
      this.#isSaveFailing = true;
    }
    if (!this.#segments.has(segment)) await segment.remove();
  }

  #removeIfDone(segment: Segment): void {
    if (!segment.isDone || this.#superseded.size > 0 || !this.#disk.canCleanUp) return;
    // The one being written to stays, unless the disk doesn't take it: nothing in it is needed any more.
    if (!segment.isSealed && (segment.isFlushed || this.#disk.failure === undefined)) return;
    if (segment === this.#active) this.#active = undefined;
    if (segment === this.#reserved?.segment) delete this.#reserved.segment;
    if (!this.#segments.remove(segment)) return;
    this.#unsavedAcks.delete(segment);
    segment.remove().catch((error) => this.#options.log.warn({ error }, "a journal file can't be removed"));
  }

  #onDamage({ segment, offset, bytes, isTorn, lostRecords }: Damage): void {
    const { log } = this.#options;
    const fields = { segment: segment.id, offset, bytes: bytes.length };
    if (isTorn) {
      log.warn(fields, "the journal's last write was cut off: what was whole is kept");
      return;
    }
    this.corrupt += Math.max(1, lostRecords);
    const path = join(this.#folder, "set-aside", `${segment.id}-${offset}.damaged`);
    log.error({ ...fields, lostRecords, path }, "a journal record is damaged: set aside");
    setAside(path, bytes).catch((error) => log.error({ error, path }, "a damaged record can't be set aside"));
  }
}

async function setAside(path: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeAtomically(path, bytes);
}
