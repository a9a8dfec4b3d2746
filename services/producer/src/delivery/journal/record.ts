// The file format of the journal: a segment's header, and records whose damage can be detected.
//
// Record, little-endian:  marker u32 · checksum u32 · offset u32 · ordinal u32 · time f64 · value length u32 ·
//                         key length u16 (0xffff: no key) · topic length u16 · key · value
//
// A record with headers or with a topic of its own has another marker, and after the 32 bytes:
//                         headers length u32 · key · topic · headers (a block as of header-block.ts) · value
//
// The checksum (CRC-32, seeded with the segment's salt) covers all bytes after itself. A record contains its own
// offset, so that a copy of a record inside a payload is never mistaken for one. No caller knows the salt, so this
// also holds for payloads that are crafted to look like a record.

import { crc32 } from "node:zlib";
import { headerBlockBytes, type NewHeaders, writeHeaderBlock } from "@ingest/kafka";

const MARKER = 0x43455249; // "IREC"
const EXTENDED_MARKER = 0x32455249; // "IRE2"
/** What both markers begin with. */
const MARKER_START = Buffer.from("IRE");
const SEGMENT_MAGIC = "INGJRNL1";
const NO_KEY = 0xffff;

/** Bytes of a record before its key. */
const RECORD_HEADER_BYTES = 32;
const EXTENDED_HEADER_BYTES = 36;
/** The longest key in UTF-8 that a record can hold. */
export const MAX_KEY_BYTES = NO_KEY - 1;

const at = {
  checksum: 4,
  offset: 8,
  ordinal: 12,
  time: 16,
  valueLength: 24,
  keyLength: 28,
  topicLength: 30,
  headersLength: 32,
} as const;

/** A record that was read. `value` is a view of the bytes it was read from. */
export interface StoredRecord {
  /** Its place among the records of its segment, from 0. */
  ordinal: number;
  /** Unix ms at which the event was received. */
  receivedMs: number;
  key: string | null;
  value: Buffer;
  /** Absent: that of the segment. */
  topic: string | undefined;
  /** A view of the block of its headers. Absent: none. */
  headers: Buffer | undefined;
  /** Where the next record begins, in the bytes that were read. */
  end: number;
}

/** The part of an event that the journal stores. */
export interface Recordable {
  readonly key: string | null;
  readonly value: string | Uint8Array;
  /** Absent: that of the segment. */
  readonly topic?: string | undefined;
  readonly headers?: NewHeaders | undefined;
}

/** The lengths of a record's parts, of text in UTF-8. */
export interface RecordLengths {
  /** Bytes before the key. */
  readonly head: number;
  readonly key: number;
  readonly topic: number;
  readonly headers: number;
  readonly value: number;
  /** The whole record on disk. */
  readonly total: number;
}

export function recordLengths({
  key: keyText,
  value: content,
  topic: name,
  headers: list,
}: Recordable): RecordLengths {
  const key = keyText === null ? 0 : Buffer.byteLength(keyText);
  const value = typeof content === "string" ? Buffer.byteLength(content) : content.length;
  if (name === undefined && list === undefined)
    return {
      head: RECORD_HEADER_BYTES,
      key,
      topic: 0,
      headers: 0,
      value,
      total: RECORD_HEADER_BYTES + key + value,
    };
  const head = EXTENDED_HEADER_BYTES;
  const topic = name === undefined ? 0 : Buffer.byteLength(name);
  const headers = list === undefined ? 0 : headerBlockBytes(list);
  return { head, key, topic, headers, value, total: head + key + topic + headers + value };
}

/**
 * Writes a record into `target` at `start`.
 * @param lengths from `recordLengths`
 * @param place its offset in its segment, its ordinal, and when the event was received
 */
export function writeRecord(
  target: Buffer,
  start: number,
  salt: number,
  { key, value, topic, headers }: Recordable,
  lengths: RecordLengths,
  place: { offset: number; ordinal: number; receivedMs: number },
): void {
  const isExtended = lengths.head === EXTENDED_HEADER_BYTES;
  target.writeUInt32LE(isExtended ? EXTENDED_MARKER : MARKER, start);
  target.writeUInt32LE(place.offset, start + at.offset);
  target.writeUInt32LE(place.ordinal, start + at.ordinal);
  target.writeDoubleLE(place.receivedMs, start + at.time);
  target.writeUInt32LE(lengths.value, start + at.valueLength);
  target.writeUInt16LE(key === null ? NO_KEY : lengths.key, start + at.keyLength);
  target.writeUInt16LE(lengths.topic, start + at.topicLength);
  let next = start + lengths.head;
  if (key !== null) target.write(key, next, lengths.key, "utf8");
  next += lengths.key;
  if (isExtended) {
    target.writeUInt32LE(lengths.headers, start + at.headersLength);
    if (topic !== undefined) target.write(topic, next, lengths.topic, "utf8");
    next += lengths.topic;
    if (headers !== undefined) next = writeHeaderBlock(target, next, headers);
  }
  if (typeof value === "string") target.write(value, next, lengths.value, "utf8");
  else target.set(value, next);
  const end = start + lengths.total;
  target.writeUInt32LE(crc32(target.subarray(start + at.offset, end), salt), start + at.checksum);
}

/** The lengths that a record's head states; undefined when there is no head. */
function readLengths(bytes: Buffer, start: number): RecordLengths | undefined {
  if (start + RECORD_HEADER_BYTES > bytes.length) return undefined;
  const marker = bytes.readUInt32LE(start);
  const isExtended = marker === EXTENDED_MARKER;
  if (marker !== MARKER && !isExtended) return undefined;
  const head = isExtended ? EXTENDED_HEADER_BYTES : RECORD_HEADER_BYTES;
  if (start + head > bytes.length) return undefined;
  const keyLength = bytes.readUInt16LE(start + at.keyLength);
  const key = keyLength === NO_KEY ? 0 : keyLength;
  const topic = isExtended ? bytes.readUInt16LE(start + at.topicLength) : 0;
  const headers = isExtended ? bytes.readUInt32LE(start + at.headersLength) : 0;
  const value = bytes.readUInt32LE(start + at.valueLength);
  return { head, key, topic, headers, value, total: head + key + topic + headers + value };
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
  const lengths = readLengths(bytes, start);
  if (lengths === undefined || bytes.readUInt32LE(start + at.offset) !== base + start) return undefined;
  const end = start + lengths.total;
  if (end > bytes.length) return undefined;
  if (crc32(bytes.subarray(start + at.offset, end), salt) !== bytes.readUInt32LE(start + at.checksum))
    return undefined;
  const keyStart = start + lengths.head;
  const topicStart = keyStart + lengths.key;
  const headersStart = topicStart + lengths.topic;
  const valueStart = headersStart + lengths.headers;
  const hasKey = bytes.readUInt16LE(start + at.keyLength) !== NO_KEY;
  return {
    ordinal: bytes.readUInt32LE(start + at.ordinal),
    receivedMs: bytes.readDoubleLE(start + at.time),
    key: hasKey ? bytes.toString("utf8", keyStart, topicStart) : null,
    value: bytes.subarray(valueStart, end),
    topic: lengths.topic === 0 ? undefined : bytes.toString("utf8", topicStart, headersStart),
    headers: lengths.headers === 0 ? undefined : bytes.subarray(headersStart, valueStart),
    end,
  };
}

/** Where the first intact record at or after `from` begins, or -1. */
export function findRecord(bytes: Buffer, from: number, base: number, salt: number): number {
  for (
    let start = bytes.indexOf(MARKER_START, from);
    start !== -1;
    start = bytes.indexOf(MARKER_START, start + 1)
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
  const lengths = readLengths(bytes, start);
  if (lengths !== undefined) return start + lengths.total > bytes.length;
  if (bytes.readUInt32LE(start) === EXTENDED_MARKER) return true;
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
