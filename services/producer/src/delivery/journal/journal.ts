// What Kafka can't take now, and what was promised to survive this process: an ordered, bounded queue on disk.

import { closeSync, fsync, openSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "@ingest/service";
import type { JournalState, RefusalCode } from "../types.ts";
import { writeAside } from "./aside.ts";
import { type JournalRecord, ReplayCursor } from "./cursor.ts";
import { adoptOrphans, FolderLock, listSegments, nextId, segmentPath, workerFolder } from "./folder.ts";
import { GroupCommit } from "./group-commit.ts";
import { type Damage, recoverSegment } from "./recover.ts";
import { type Recordable, Segment } from "./segment.ts";

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
  log: Log;
  now?: () => number;
}

/** Where a record was written down. */
export interface Position {
  readonly segment: Segment;
  readonly ordinal: number;
}

/** Ids left free at the start of each spool, for what comes back from the client: it is older. */
const SPOOL_GAP = 1_000;
/** A chunk this large is written at once rather than at the next commit. */
const FLUSH_BYTES = 1024 * 1024;
const MAINTENANCE_MS = 1_000;
const RETRY_MS = 250;

export class Journal {
  /** Figures that only grow. */
  readonly counts = { corrupt: 0, fsyncs: 0, fsyncFailures: 0 };

  readonly #options: JournalOptions;
  readonly #folder: string;
  readonly #lock: FolderLock;
  readonly #segments: Segment[] = [];
  readonly #cursor: ReplayCursor;
  readonly #commits: GroupCommit;
  readonly #maintenance: Timer;
  readonly #now: () => number;
  readonly #toSave = new Set<Segment>();
  #retry: Timer | undefined;
  #active: Segment | undefined;
  #nextId: number;
  /** The segment for what comes back while spooling, and the ids that are left for it. */
  #returned: Segment | undefined;
  #gap: { nextId: number } | undefined;
  #bytes = 0;
  #failure: string | undefined;
  #isFolderDirty = false;
  /** Records were copied further on: the originals may only be forgotten once the copies are on the disk. */
  #hasUnsyncedCopies = false;
  #saving: Promise<void> = Promise.resolve();

  private constructor(options: JournalOptions, folder: string, lock: FolderLock) {
    this.#options = options;
    this.#folder = folder;
    this.#lock = lock;
    this.#now = options.now ?? Date.now;
    this.#cursor = new ReplayCursor(this.#segments, (damage) => this.#onDamage(damage));
    this.#commits = new GroupCommit(
      { flush: () => this.#flush(), sync: () => this.#sync() },
      { intervalMs: options.fsyncIntervalMs, lazySyncMs: MAINTENANCE_MS },
    );
    this.#nextId = 0;
    this.#maintenance = setInterval(() => this.#maintain(), MAINTENANCE_MS);
    this.#maintenance.unref();
  }

  /**
   * Takes the folder of this worker and reads what a former process left there.
   * @throws JournalError when the folder is another process's or can't be written
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const folder = workerFolder(options.directory, options.worker);
    const lock = FolderLock.take(folder);
    if (options.worker === 0) {
      const adopted = adoptOrphans(options.directory, folder, options.workers);
      if (adopted.length > 0) options.log.info({ folders: adopted }, "took over journals of former workers");
    }
    const journal = new Journal(options, folder, lock);
    await journal.#recover();
    return journal;
  }

  async #recover(): Promise<void> {
    const files = listSegments(this.#folder);
    this.#nextId = nextId(files);
    for (const file of files) {
      const { segment, damages } = recoverSegment(file, this.#options.topic);
      for (const damage of damages) this.#onDamage(damage);
      this.#segments.push(segment);
      this.#bytes += segment.length;
      this.#removeIfDone(segment);
      // A large journal takes a while to read: let others have a turn.
      await new Promise(setImmediate);
    }
    const { records, bytes } = this.state();
    if (records > 0)
      this.#options.log.info({ records, bytes }, "a former process left records: they go first");
  }

  /** Why it takes nothing now; undefined when it does. */
  get refusal(): RefusalCode | undefined {
    if (this.#failure !== undefined) return "journal_unavailable";
    if (this.#bytes >= this.#options.maxBytes) return "journal_full";
    // Oldest first is the only order, so a backlog that is too old is one that newer events shouldn't join.
    if (this.#bytes > 0 && this.#oldestMs() >= this.#options.maxAgeMs) return "journal_full";
    return undefined;
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
  beginSpool(): void {
    this.#cursor.toEnd();
    this.#sealActive();
    this.#gap = { nextId: this.#nextId };
    this.#nextId += SPOOL_GAP;
  }

  /** Everything was sent: `append`ed records no longer wait. */
  endSpool(): void {
    this.#seal(this.#returned);
    this.#returned = undefined;
    this.#gap = undefined;
    this.#cursor.toEnd();
  }

  /** Writes down an event that came back unsent: after what was sent before it, before what was spooled since. */
  putBack(event: Recordable, timestampMs: number): Position {
    if (!this.#gap) return this.append(event, timestampMs);
    if (!this.#returned || this.#returned.length >= this.#options.segmentBytes) {
      this.#seal(this.#returned);
      this.#returned = this.#newSegment(this.#gap.nextId++);
    }
    return this.#write(this.#returned, event, timestampMs);
  }

  /** Resolves once all that was appended is on the disk; false when the disk doesn't take it. */
  commit(): Promise<boolean> {
    return this.#commits.request();
  }

  /** The next record to send; undefined when all were sent. */
  peek(): JournalRecord | undefined {
    return this.#cursor.peek();
  }

  advance(): void {
    this.#cursor.advance();
  }

  /** Send again from the oldest record that isn't acknowledged. */
  rewind(): void {
    this.#cursor.toStart();
  }

  /** Kafka has the record, or refuses it for good. */
  acknowledge({ segment, ordinal }: Position): void {
    if (!segment.acks.add(ordinal)) return;
    this.#toSave.add(segment);
    if (segment.open === 0) this.#removeIfDone(segment);
  }

  /** The record was put back elsewhere in the journal: this one isn't sent again. */
  supersede(position: Position): void {
    this.#hasUnsyncedCopies = true;
    this.acknowledge(position);
  }

  state(): JournalState {
    let records = 0;
    for (const segment of this.#segments) records += segment.open;
    return {
      bytes: this.#bytes,
      maxBytes: this.#options.maxBytes,
      records,
      oldestMs: this.#oldestMs(),
      canTake: this.refusal === undefined,
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
    clearTimeout(this.#retry);
    this.#sealActive();
    await this.#scheduleForget();
    let [kept, lost] = [0, 0];
    for (const segment of this.#segments) {
      segment.close();
      const unwritten = Math.min(segment.open, segment.unwrittenRecords);
      lost += unwritten;
      kept += segment.open - unwritten;
    }
    this.#lock.close();
    return { kept, lost };
  }

  #write(segment: Segment, event: Recordable, timestampMs: number): Position {
    const before = segment.length;
    const ordinal = segment.append(event, timestampMs);
    this.#bytes += segment.length - before;
    if (segment.unwritten >= FLUSH_BYTES && this.#failure === undefined) this.#flush();
    this.#commits.note();
    return { segment, ordinal };
  }

  #newSegment(id: number): Segment {
    const salt = crypto.getRandomValues(new Uint32Array(1))[0]!;
    const path = segmentPath(this.#folder, id, salt);
    const segment = Segment.create(id, salt, path, this.#options.topic, this.#now());
    const index = this.#segments.findIndex((other) => other.id > id);
    this.#segments.splice(index === -1 ? this.#segments.length : index, 0, segment);
    this.#bytes += segment.length;
    this.#isFolderDirty = true;
    return segment;
  }

  #seal(segment: Segment | undefined): void {
    if (!segment) return;
    segment.isSealed = true;
    this.#removeIfDone(segment);
  }

  #sealActive(): void {
    const segment = this.#active;
    this.#active = undefined;
    this.#seal(segment);
  }

  #flush(): boolean {
    try {
      for (const segment of this.#segments) if (!segment.isDone || !segment.isSealed) segment.flush();
      this.#recovered();
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  async #sync(): Promise<boolean> {
    try {
      this.counts.fsyncs++;
      if (this.#isFolderDirty) {
        this.#isFolderDirty = false;
        await syncFolder(this.#folder);
      }
      const dirty = this.#segments.filter((segment) => !segment.isSynced);
      const hadCopies = this.#hasUnsyncedCopies;
      await Promise.all(dirty.map((segment) => segment.sync()));
      if (hadCopies) this.#hasUnsyncedCopies = false;
      for (const segment of dirty) if (segment.isSealed && segment.isSynced) segment.close();
      return true;
    } catch (error) {
      this.counts.fsyncFailures++;
      this.#isFolderDirty = true;
      // After a failed fsync nobody knows what is on the disk: what comes next goes to another file.
      this.#sealActive();
      this.#failed(error);
      return false;
    }
  }

  #failed(error: unknown): void {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    if (this.#failure !== reason)
      this.#options.log.error({ reason, error }, "the journal can't be written: refusing what it is for");
    this.#failure = reason;
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      void this.commit();
    }, RETRY_MS);
  }

  #recovered(): void {
    if (this.#failure === undefined) return;
    this.#options.log.info({ reason: this.#failure }, "the journal can be written again");
    this.#failure = undefined;
  }

  #maintain(): void {
    if (this.#segments.some((segment) => !segment.isSynced)) void this.commit();
    void this.#scheduleForget();
  }

  #scheduleForget(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#forget());
    return this.#saving;
  }

  /** Writes down what is acknowledged and removes what is done: neither before copies made of it are on the disk. */
  async #forget(): Promise<void> {
    if (!this.#mayForget()) return;
    for (const segment of [...this.#segments]) this.#removeIfDone(segment);
    for (const segment of this.#toSave) {
      this.#toSave.delete(segment);
      if (!this.#segments.includes(segment) || !segment.isFlushed) continue;
      try {
        await segment.saveAcks();
      } catch (error) {
        this.#options.log.warn(
          { error },
          "acknowledgements can't be saved: a restart would send records twice",
        );
      }
      if (!this.#segments.includes(segment)) await segment.remove();
    }
  }

  #mayForget(): boolean {
    if (this.#hasUnsyncedCopies)
      this.#hasUnsyncedCopies = !this.#segments.every((s) => s.isSynced || s.isDone);
    return !this.#hasUnsyncedCopies;
  }

  #removeIfDone(segment: Segment): void {
    if (!segment.isDone || !this.#mayForget()) return;
    // The one being written to stays, unless the disk doesn't take it: nothing in it is needed any more.
    if (!segment.isSealed && (segment.isFlushed || this.#failure === undefined)) return;
    if (segment === this.#active) this.#active = undefined;
    if (segment === this.#returned) this.#returned = undefined;
    const index = this.#segments.indexOf(segment);
    if (index === -1) return;
    this.#segments.splice(index, 1);
    this.#bytes -= segment.length;
    this.#toSave.delete(segment);
    segment.remove().catch((error) => this.#options.log.warn({ error }, "a journal file can't be removed"));
  }

  #oldestMs(): number {
    for (const segment of this.#segments) {
      if (segment.isDone) continue;
      return Math.max(0, this.#now() - (segment.times.of(segment.acks.lowestMissing) ?? this.#now()));
    }
    return 0;
  }

  #onDamage({ segment, offset, bytes, isTorn, lostRecords }: Damage): void {
    const fields = { segment: segment.id, offset, bytes: bytes.length };
    if (isTorn) {
      this.#options.log.warn(fields, "the journal's last write was cut off: what was whole is kept");
      return;
    }
    this.counts.corrupt += Math.max(1, lostRecords);
    const path = join(this.#folder, "set-aside", `${segment.id}-${offset}.damaged`);
    this.#options.log.error({ ...fields, lostRecords, path }, "a journal record is damaged: set aside");
    void setAside(path, bytes).catch((error) =>
      this.#options.log.error({ error, path }, "a damaged record can't be set aside"),
    );
  }
}

async function setAside(path: string, bytes: Buffer): Promise<void> {
  await mkdir(join(path, ".."), { recursive: true });
  await writeAside(path, bytes);
}

/** Makes new names in a folder survive a crash of the machine. */
function syncFolder(folder: string): Promise<void> {
  const fd = openSync(folder, "r");
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  fsync(fd, (error) => {
    closeSync(fd);
    error ? reject(error) : resolve();
  });
  return promise;
}
