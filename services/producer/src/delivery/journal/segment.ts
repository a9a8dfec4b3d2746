// One file of the journal: records appended in memory, written in chunks, synced, read back, acknowledged one by one.

import { closeSync, fdatasync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { Acks } from "./acks.ts";
import { writeAtomically } from "./atomic-write.ts";
import { encodeSegmentHeader, MAX_KEY_BYTES, recordBytes, writeRecord } from "./record.ts";
import { TimeIndex } from "./time-index.ts";

const FIRST_CHUNK_BYTES = 64 * 1024;
/** A write buffer larger than this isn't kept once it is empty. */
const KEPT_CHUNK_BYTES = 1024 * 1024;

/** What an event has to have to be written down. */
export interface Recordable {
  readonly key: string | null;
  readonly value: string | Uint8Array;
}

export class Segment {
  /** Bytes appended, written or not. */
  length = 0;
  /** Records appended. */
  records = 0;
  acks = new Acks();
  readonly times = new TimeIndex();
  /** The topic that its records are for. */
  readonly topic: string;
  /** Records of it were put back elsewhere. It is written all the same: a younger original may be on the disk already. */
  hasSuperseded = false;
  /** An fsync of it failed. The next one may return without what that one lost: nothing here counts as synced for good. */
  hasFailedSync = false;
  /** No more records come. */
  isSealed = false;

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

  /** A segment that a former process wrote. The caller has looked through its records. */
  static existing(id: number, salt: number, path: string, topic: string, bytes: number): Segment {
    const segment = new Segment(id, salt, path, topic);
    segment.length = segment.#written = segment.#synced = bytes;
    segment.isSealed = true;
    return segment;
  }

  /** Takes up a record that was found in the file: those before it that weren't found are not waited for. */
  addRecovered(ordinal: number, timestampMs: number): number {
    let missing = 0;
    for (let gone = this.records; gone < ordinal; gone++) if (this.acks.add(gone)) missing++;
    this.records = this.#recordsWritten = ordinal + 1;
    this.times.note(ordinal, timestampMs);
    return missing;
  }

  /** Bytes that are in memory only. */
  get unwritten(): number {
    return this.length - this.#written;
  }

  /** Records that are in memory only, at most. */
  get unwrittenRecords(): number {
    return this.records - this.#recordsWritten;
  }

  get isFlushed(): boolean {
    return this.#written === this.length;
  }

  /** Bytes that are on the disk itself. */
  get synced(): number {
    return this.#synced;
  }

  get isSynced(): boolean {
    return this.#synced === this.length;
  }

  /** Has Kafka acknowledged every record? */
  get isDone(): boolean {
    return this.acks.lowestMissing >= this.records;
  }

  get open(): number {
    return this.records - this.acks.count;
  }

  /**
   * Appends in memory.
   * @returns the record's ordinal
   * @throws RangeError when the key is longer than a record can hold
   */
  append(event: Recordable, timestampMs: number): number {
    const keyBytes = event.key === null ? 0 : Buffer.byteLength(event.key);
    if (keyBytes > MAX_KEY_BYTES)
      throw new RangeError(`a key of ${keyBytes} bytes is too long for the journal`);
    const valueBytes = typeof event.value === "string" ? Buffer.byteLength(event.value) : event.value.length;
    const size = recordBytes(keyBytes, valueBytes);
    const start = this.length - this.#written;
    this.#reserve(start + size);
    const ordinal = this.records++;
    const { key, value } = event;
    writeRecord(
      this.#chunk,
      start,
      this.salt,
      { offset: this.length, ordinal, timestampMs, key, value },
      keyBytes,
      valueBytes,
    );
    this.length += size;
    this.times.note(ordinal, timestampMs);
    return ordinal;
  }

  /**
   * Hands what was appended to the operating system: from then on it outlives this process.
   * @throws the system's error (ENOSPC, EIO, …); what couldn't be written stays in memory for the next call
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
    if (this.#chunk.length > KEPT_CHUNK_BYTES) this.#chunk = Buffer.alloc(0);
  }

  /** Waits until what was flushed is on the disk itself. */
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

  /** The bytes from `offset` to the end, those not yet written included. */
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

  /** Writes down what is acknowledged, so that the next process doesn't send it again. */
  saveAcks(): Promise<void> {
    return writeAtomically(ackPath(this.path), this.acks.encode());
  }

  /** Closes the file, which can still be read. Not while a `sync` is under way. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** Deletes the file and what stands beside it. */
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
        // Somebody cut the file while it was in use: the checksums tell the rest.
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

/** Where a segment's acknowledgements stand. */
export function ackPath(segmentPath: string): string {
  return segmentPath.replace(/\.segment$/, ".acks");
}
