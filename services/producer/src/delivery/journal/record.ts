// The file format of the journal: a segment's header, and records whose damage can be detected.
//
// Record, little-endian:  marker u32 · checksum u32 · offset u32 · ordinal u32 · time f64 · value length u32 ·
//                         key length u16 (0xffff: no key) · reserved u16 · key · value
//
// The checksum (CRC-32, seeded with the segment's salt) covers all bytes after itself. A record contains its own
// offset, so that a copy of a record inside a payload is never mistaken for one. No caller knows the salt, so this
// also holds for payloads that are crafted to look like a record.

import { crc32 } from "node:zlib";

const RECORD_MARKER = 0x43455249; // "IREC"
const SEGMENT_MAGIC = "INGJRNL1";
const NO_KEY = 0xffff;

/** Bytes of a record before its key. */
const RECORD_HEADER_BYTES = 32;
/** The longest key in UTF-8 that a record can hold. */
export const MAX_KEY_BYTES = NO_KEY - 1;

const at = {
  checksum: 4,
  offset: 8,
  ordinal: 12,
  time: 16,
  valueLength: 24,
  keyLength: 28,
  reserved: 30,
} as const;

/** A record that was read. `value` is a view of the bytes it was read from. */
export interface StoredRecord {
  /** Its place among the records of its segment, from 0. */
  ordinal: number;
  /** Unix ms at which the event was received. */
  receivedMs: number;
  key: string | null;
  value: Buffer;
  /** Where the next record begins, in the bytes that were read. */
  end: number;
}

/** The size of a record on disk. */
export function recordBytes(keyBytes: number, valueBytes: number): number {
  return RECORD_HEADER_BYTES + keyBytes + valueBytes;
}

/**
 * Writes a record into `target` at `start`.
 * @param keyBytes the key's length in UTF-8, 0 for none
 * @param valueBytes the value's length, of text in UTF-8
 * @param offset the record's offset in its segment
 */
export function writeRecord(
  target: Buffer,
  start: number,
  salt: number,
  record: {
    offset: number;
    ordinal: number;
    receivedMs: number;
    key: string | null;
    value: string | Uint8Array;
  },
  keyBytes: number,
  valueBytes: number,
): void {
  const { value, key } = record;
  const end = start + recordBytes(keyBytes, valueBytes);
  target.writeUInt32LE(RECORD_MARKER, start);
  target.writeUInt32LE(record.offset, start + at.offset);
  target.writeUInt32LE(record.ordinal, start + at.ordinal);
  target.writeDoubleLE(record.receivedMs, start + at.time);
  target.writeUInt32LE(valueBytes, start + at.valueLength);
  target.writeUInt16LE(key === null ? NO_KEY : keyBytes, start + at.keyLength);
  target.writeUInt16LE(0, start + at.reserved);
  if (key !== null) target.write(key, start + RECORD_HEADER_BYTES, keyBytes, "utf8");
  const valueStart = start + RECORD_HEADER_BYTES + keyBytes;
  if (typeof value === "string") target.write(value, valueStart, valueBytes, "utf8");
  else target.set(value, valueStart);
  target.writeUInt32LE(crc32(target.subarray(start + at.offset, end), salt), start + at.checksum);
}

/**
 * The record at `start`, or undefined when there is no intact one.
 * @param base the offset in the segment of `bytes[0]`
 */
export function readRecord(
  bytes: Buffer,
  start: number,
  base: number,
  salt: number,
): StoredRecord | undefined {
  if (start + RECORD_HEADER_BYTES > bytes.length) return undefined;
  if (bytes.readUInt32LE(start) !== RECORD_MARKER) return undefined;
  if (bytes.readUInt32LE(start + at.offset) !== base + start) return undefined;
  const rawKeyLength = bytes.readUInt16LE(start + at.keyLength);
  const keyBytes = rawKeyLength === NO_KEY ? 0 : rawKeyLength;
  const valueStart = start + RECORD_HEADER_BYTES + keyBytes;
  const end = valueStart + bytes.readUInt32LE(start + at.valueLength);
  if (end > bytes.length) return undefined;
  if (crc32(bytes.subarray(start + at.offset, end), salt) !== bytes.readUInt32LE(start + at.checksum))
    return undefined;
  return {
    ordinal: bytes.readUInt32LE(start + at.ordinal),
    receivedMs: bytes.readDoubleLE(start + at.time),
    key: rawKeyLength === NO_KEY ? null : bytes.toString("utf8", start + RECORD_HEADER_BYTES, valueStart),
    value: bytes.subarray(valueStart, end),
    end,
  };
}

const markerBytes = Buffer.alloc(4);
markerBytes.writeUInt32LE(RECORD_MARKER);

/** Where the first intact record at or after `from` begins, or -1. */
export function findRecord(bytes: Buffer, from: number, base: number, salt: number): number {
  for (
    let start = bytes.indexOf(markerBytes, from);
    start !== -1;
    start = bytes.indexOf(markerBytes, start + 1)
  ) {
    if (readRecord(bytes, start, base, salt)) return start;
  }
  return -1;
}

/**
 * Do the bytes from `start` look like a torn write rather than like later damage?
 * Torn: the header is incomplete, or the record's end is past the end of the file, or all bytes are zero.
 */
export function looksTorn(bytes: Buffer, start: number): boolean {
  if (start + RECORD_HEADER_BYTES > bytes.length) return true;
  if (bytes.readUInt32LE(start) === RECORD_MARKER) {
    const rawKeyLength = bytes.readUInt16LE(start + at.keyLength);
    const valueLength = bytes.readUInt32LE(start + at.valueLength);
    return start + recordBytes(rawKeyLength === NO_KEY ? 0 : rawKeyLength, valueLength) > bytes.length;
  }
  for (let i = start; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** The header of a segment. */
export interface SegmentHeader {
  /** The topic its records are for. */
  topic: string;
  createdMs: number;
  /** Bytes of the header: where the first record begins. */
  bytes: number;
}

/** Header: magic 8 bytes · created f64 · topic length u16 · topic · checksum u32 (CRC-32, from the salt). */
export function encodeSegmentHeader(topic: string, createdMs: number, salt: number): Buffer {
  const topicBytes = Buffer.from(topic);
  const header = Buffer.alloc(22 + topicBytes.length);
  header.write(SEGMENT_MAGIC, 0, "latin1");
  header.writeDoubleLE(createdMs, 8);
  header.writeUInt16LE(topicBytes.length, 16);
  header.set(topicBytes, 18);
  header.writeUInt32LE(crc32(header.subarray(0, 18 + topicBytes.length), salt), 18 + topicBytes.length);
  return header;
}

/** The header at the start of a segment's bytes, or undefined when it is damaged. */
export function decodeSegmentHeader(bytes: Buffer, salt: number): SegmentHeader | undefined {
  if (bytes.length < 22 || bytes.toString("latin1", 0, 8) !== SEGMENT_MAGIC) return undefined;
  const end = 18 + bytes.readUInt16LE(16);
  if (end + 4 > bytes.length) return undefined;
  if (crc32(bytes.subarray(0, end), salt) !== bytes.readUInt32LE(end)) return undefined;
  return { topic: bytes.toString("utf8", 18, end), createdMs: bytes.readDoubleLE(8), bytes: end + 4 };
}
