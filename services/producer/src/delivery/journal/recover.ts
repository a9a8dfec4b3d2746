// Reads the segments of an earlier process: finds every intact record, and distinguishes damage from a torn write.

import { readFileSync } from "node:fs";
import { Acks } from "./acks.ts";
import type { SegmentFile } from "./folder.ts";
import { decodeSegmentHeader, findRecord, looksTorn, readRecord, type StoredRecord } from "./record.ts";
import { ackPath, Segment } from "./segment.ts";

/** Bytes of a segment that hold no intact record. */
export interface Damage {
  segment: Segment;
  /** Offset in the segment. */
  offset: number;
  bytes: Buffer;
  /** A write that a crash interrupted, at the very end: its events were never confirmed as durable. */
  isTorn: boolean;
  /** Number of records that are known to have been here and can't be read any more. */
  lostRecords: number;
}

/** One step through a segment: the next intact record, and the damage before it. */
export interface Step {
  record?: StoredRecord;
  damage?: { from: number; to: number; isTorn: boolean };
}

/** The next intact record at or after `from`, which must not be the end. Never throws, whatever the bytes are. */
export function nextRecord(bytes: Buffer, from: number, base: number, salt: number): Step {
  const record = readRecord(bytes, from, base, salt);
  if (record) return { record };
  const start = findRecord(bytes, from + 1, base, salt);
  if (start === -1) return { damage: { from, to: bytes.length, isTorn: looksTorn(bytes, from) } };
  return { record: readRecord(bytes, start, base, salt)!, damage: { from, to: start, isTorn: false } };
}

/**
 * Opens a segment of an earlier process: scans every record and reads the saved acknowledgements.
 * @param fallbackTopic the topic of the records when the segment's header is damaged
 */
export function recoverSegment(
  file: SegmentFile,
  fallbackTopic: string,
): { segment: Segment; damages: Damage[] } {
  const bytes = readFileSync(file.path);
  const header = decodeSegmentHeader(bytes, file.salt);
  const segment = Segment.existing(
    file.id,
    file.salt,
    file.path,
    header?.topic ?? fallbackTopic,
    bytes.length,
  );
  segment.acks = readAcks(file.path);
  const damages: Damage[] = [];
  let at = header?.bytes ?? 0;
  while (at < bytes.length) {
    const { record, damage } = nextRecord(bytes, at, 0, file.salt);
    if (damage) {
      const piece = Buffer.from(bytes.subarray(damage.from, damage.to));
      damages.push({ segment, offset: damage.from, bytes: piece, isTorn: damage.isTorn, lostRecords: 0 });
    }
    if (!record) break;
    const lostRecords = segment.addRecovered(record);
    if (damage) damages.at(-1)!.lostRecords = lostRecords;
    at = record.end;
  }
  segment.acks.truncate(segment.records);
  return { segment, damages };
}

function readAcks(path: string): Acks {
  try {
    return Acks.decode(readFileSync(ackPath(path)));
  } catch {
    return new Acks();
  }
}
