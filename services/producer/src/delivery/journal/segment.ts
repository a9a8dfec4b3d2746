// One file of the journal. Records are appended in memory, written in chunks, synced, read, and acknowledged one by one.

import { closeSync, fdatasync, fstatSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { Acks } from "./acks.ts";
import { writeAtomically } from "./atomic-write.ts";
import {
  encodeSegmentHeader,
  MAX_KEY_BYTES,
  type Recordable,
  recordLengths,
  type StoredRecord,
  writeRecord,
} from "./record.ts";
import { TimeIndex } from "./time-index.ts";

const FIRST_CHUNK_BYTES = 64 * 1024;
/** A larger write buffer is released once it is empty. */
const MAX_IDLE_CHUNK_BYTES = 1024 * 1024;

export class Segment {
  /** Bytes appended, written or not. */
  length = 0;
  /** Records appended. */
  records = 0;
  acks = new Acks();
  readonly times = new TimeIndex();
  /** The topics of its records. */
  readonly topics = new Set<string>();
  /** The topic of records that name none. */
  readonly topic: string;
  /**
   * Some of its records were copied to another segment. It is flushed nevertheless: a later original may be on disk
   * already.
   */
  hasSuperseded = false;
  /**
   * An fsync of it failed. The kernel reports that once, so a later fsync may succeed without the lost bytes: nothing in
   * this segment counts as synced any more.
   */
  hasFailedSync = false;
  /** No record is appended any more. */
  isSealed = false;
  /** Ordinals of records that aren't replayed, though they are not acknowledged yet. */
  readonly held = new Set<number>();

  #fd: number | undefined;
  #written = 0;
  #synced = 0;
  #recordsWritten = 0;
  #chunk = Buffer.alloc(0);
  #isRemoved = false;

  private constructor(
    readonly id: number,
    readonly salt: number,
    readonly path: string,
    topic: string,
  ) {
    this.topic = topic;
  }

  /** A new segment: nothing is on disk before the first `flush`. */
  static create(id: number, salt: number, path: string, topic: string, nowMs: number): Segment {
    const segment = new Segment(id, salt, path, topic);
    segment.#push(encodeSegmentHeader(topic, nowMs, salt));
    return segment;
  }

  /** A segment of an earlier process. The caller adds its records by `addRecovered`. */
  static existing(id: number, salt: number, path: string, topic: string, bytes: number): Segment {
    const segment = new Segment(id, salt, path, topic);
    segment.length = segment.#written = segment.#synced = bytes;
    segment.isSealed = true;
    return segment;
  }

  /**
   * Adds a record that was found in the file. Missing records before it count as acknowledged.
   * @returns how many records are missing
   */
  addRecovered({ ordinal, receivedMs, topic }: StoredRecord): number {
    let missing = 0;
    for (let skipped = this.records; skipped < ordinal; skipped++) if (this.acks.add(skipped)) missing++;
    this.records = this.#recordsWritten = ordinal + 1;
    this.times.add(ordinal, receivedMs);
    this.topics.add(topic ?? this.topic);
    return missing;
  }

  /** Number of bytes that are in memory only. */
  get unwritten(): number {
    return this.length - this.#written;
  }

  /** Upper bound of the number of records that are in memory only. */
  get unwrittenRecords(): number {
    return this.records - this.#recordsWritten;
  }

  get isFlushed(): boolean {
    return this.#written === this.length;
  }

  /** Somebody removed its file while it is in use. */
  get isUnlinked(): boolean {
    return this.#fd !== undefined && !this.#isRemoved && fstatSync(this.#fd).nlink === 0;
  }

  /** Number of bytes that an fsync put on disk. */
  get synced(): number {
    return this.#synced;
  }

  get isSynced(): boolean {
    return this.#synced === this.length;
  }

  /** Every record is acknowledged. */
  get isDone(): boolean {
    return this.acks.lowestMissing >= this.records;
  }

  get unacknowledged(): number {
    return this.records - this.acks.count;
  }

  /**
   * Appends in memory.
   * @returns the record's ordinal
   * @throws RangeError when the key is longer than a record can hold
   */
  append(event: Recordable, receivedMs: number): number {
    const record = event.topic === this.topic ? { ...event, topic: undefined } : event;
    const lengths = recordLengths(record);
    if (lengths.key > MAX_KEY_BYTES)
      throw new RangeError(`a key of ${lengths.key} bytes is too long for the journal`);
    const start = this.length - this.#written;
    this.#reserve(start + lengths.total);
    const ordinal = this.records++;
    writeRecord(this.#chunk, start, this.salt, record, lengths, { offset: this.length, ordinal, receivedMs });
    this.length += lengths.total;
    this.topics.add(record.topic ?? this.topic);
    this.times.add(ordinal, receivedMs);
    return ordinal;
  }

  /**
   * Writes appended records to the operating system: from then on they survive this process.
   * @throws the system's error (ENOSPC, EIO, …); bytes that could not be written stay in memory for the next call
   */
  flush(): void {
    if (this.isFlushed || this.#isRemoved) return;
    this.#fd ??= openSync(this.path, this.#written === 0 ? "wx+" : "r+");
    const total = this.length - this.#written;
    let done = 0;
    try {
      while (done < total) done += writeSync(this.#fd, this.#chunk, done, total - done, this.#written + done);
    } finally {
      this.#chunk.copyWithin(0, done, total);
      this.#written += done;
      if (this.isFlushed) this.#recordsWritten = this.records;
    }
    if (this.#chunk.length > MAX_IDLE_CHUNK_BYTES) this.#chunk = Buffer.alloc(0);
  }

  /** Resolves once the flushed bytes are on disk. */
  sync(): Promise<void> {
    const upTo = this.#written;
    if (this.#fd === undefined || upTo === this.#synced) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    fdatasync(this.#fd, (error) => {
      if (error && !this.#isRemoved) return reject(error);
      this.#synced = Math.max(this.#synced, upTo);
      resolve();
    });
    return promise;
  }

  /** The bytes from `offset` to the end, including those not written yet. */
  read(offset: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(this.length - offset);
    const fromFile = Math.max(0, this.#written - offset);
    if (fromFile > 0) this.#readFile(bytes.subarray(0, fromFile), offset);
    if (fromFile < bytes.length) {
      const start = offset + fromFile - this.#written;
      this.#chunk.copy(bytes, fromFile, start, this.length - this.#written);
    }
    return bytes;
  }

  /** Saves the acknowledgements, so that the next process doesn't send those records again. */
  saveAcks(): Promise<void> {
    return writeAtomically(ackPath(this.path), this.acks.encode());
  }

  /** Closes the file descriptor; `read` still works. Not while a `sync` is in progress. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** Deletes the file and its acknowledgements. */
  async remove(): Promise<void> {
    this.#isRemoved = true;
    this.close();
    this.#chunk = Buffer.alloc(0);
    try {
      unlinkSync(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    await rm(ackPath(this.path), { force: true });
  }

  #readFile(into: Buffer, offset: number): void {
    const fd = this.#fd ?? openSync(this.path, "r");
    try {
      let done = 0;
      while (done < into.length) {
        const count = readSync(fd, into, done, into.length - done, offset + done);
        // The file was truncated while in use: the checksums detect that.
        if (count === 0) return void into.fill(0, done);
        done += count;
      }
    } finally {
      if (fd !== this.#fd) closeSync(fd);
    }
  }

  #push(bytes: Buffer): void {
    const start = this.length - this.#written;
    this.#reserve(start + bytes.length);
    bytes.copy(this.#chunk, start);
    this.length += bytes.length;
  }

  #reserve(size: number): void {
    if (size <= this.#chunk.length) return;
    const chunk = Buffer.allocUnsafeSlow(Math.max(FIRST_CHUNK_BYTES, 2 ** Math.ceil(Math.log2(size))));
    this.#chunk.copy(chunk, 0, 0, this.length - this.#written);
    this.#chunk = chunk;
  }
}

/** The file of a segment's acknowledgements. */
export function ackPath(segmentPath: string): string {
  return segmentPath.replace(/\.segment$/, ".acks");
}
