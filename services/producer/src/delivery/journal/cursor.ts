// The position of replay: iterates over the unacknowledged records, oldest first, while segments come and go.

import { type RecordHeaders, readHeaderBlock } from "@ingest/kafka";
import type { StoredRecord } from "./record.ts";
import { decodeSegmentHeader } from "./record.ts";
import { type Damage, nextRecord } from "./recover.ts";
import type { Segment } from "./segment.ts";
import type { SegmentList } from "./segment-list.ts";

/** A record of the journal, ready to be sent to Kafka. */
export class JournalRecord {
  readonly key: string | null;
  /** A copy: a view would keep the whole read buffer in memory while the record is in flight. */
  readonly value: Buffer;
  readonly receivedMs: number;
  readonly topic: string;
  readonly headers: RecordHeaders | undefined;
  readonly ordinal: number;

  constructor(
    readonly segment: Segment,
    record: StoredRecord,
  ) {
    this.key = record.key;
    this.value = Buffer.from(record.value);
    this.receivedMs = record.receivedMs;
    this.topic = record.topic ?? segment.topic;
    this.headers = record.headers && readHeaderBlock(Buffer.from(record.headers));
    this.ordinal = record.ordinal;
  }
}

export class ReplayCursor {
  readonly #segments: SegmentList;
  readonly #onDamage: (damage: Damage) => void;
  #segment: Segment | undefined;
  /** The part of the segment that was read; `#bytes[0]` is at offset `#base`. */
  #bytes: Buffer = Buffer.alloc(0);
  #base = 0;
  #at = 0;
  #nextOrdinal = 0;
  #current: JournalRecord | undefined;

  /** @param segments the journal adds and removes segments during the iteration */
  constructor(segments: SegmentList, onDamage: (damage: Damage) => void) {
    this.#segments = segments;
    this.#onDamage = onDamage;
  }

  /** The next record to send, the same one until `advance`; undefined when there is none now. */
  peek(): JournalRecord | undefined {
    if (this.#current) return this.#current;
    for (;;) {
      if (this.#segment) {
        this.#current = this.#nextHere(this.#segment);
        if (this.#current) return this.#current;
      }
      const next = this.#segments.after(this.#segment);
      if (!next) return undefined;
      this.#enter(next, 0);
    }
  }

  advance(): void {
    this.#current = undefined;
  }

  /** Moves back to the oldest unacknowledged record. */
  seekToBeginning(): void {
    this.#current = undefined;
    this.#segment = undefined;
    this.#bytes = Buffer.alloc(0);
  }

  /** Moves past all records that are in the journal now. */
  seekToEnd(): void {
    this.seekToBeginning();
    const { last } = this.#segments;
    if (last) this.#enter(last, last.length);
  }

  #enter(segment: Segment, offset: number): void {
    this.#segment = segment;
    this.#bytes = Buffer.alloc(0);
    this.#base = offset;
    this.#at = 0;
    this.#nextOrdinal = offset === 0 ? 0 : segment.records;
  }

  #nextHere(segment: Segment): JournalRecord | undefined {
    for (;;) {
      if (this.#at >= this.#bytes.length && !this.#load(segment)) return undefined;
      const { record, damage } = nextRecord(this.#bytes, this.#at, this.#base, segment.salt);
      const upTo = record?.ordinal ?? segment.records;
      if (damage) this.#skip(segment, damage, upTo);
      this.#nextOrdinal = upTo + 1;
      this.#at = record?.end ?? this.#bytes.length;
      if (record && !segment.acks.has(record.ordinal) && !segment.held.has(record.ordinal))
        return new JournalRecord(segment, record);
    }
  }

  /** Reads from the end of the last read. False when nothing was appended since. */
  #load(segment: Segment): boolean {
    const offset = this.#base + this.#bytes.length;
    if (segment.isDone || offset >= segment.length) return false;
    this.#bytes = segment.read(offset);
    this.#base = offset;
    this.#at = 0;
    if (offset === 0) this.#at = decodeSegmentHeader(this.#bytes, segment.salt)?.bytes ?? 0;
    return this.#at < this.#bytes.length;
  }

  #skip(segment: Segment, damage: { from: number; to: number; isTorn: boolean }, upTo: number): void {
    let lostRecords = 0;
    for (let ordinal = this.#nextOrdinal; ordinal < upTo; ordinal++)
      if (segment.acks.add(ordinal)) lostRecords++;
    // Quarantined during recovery already, or acknowledged: nothing is lost.
    if (lostRecords === 0) return;
    const bytes = Buffer.from(this.#bytes.subarray(damage.from, damage.to));
    this.#onDamage({ segment, offset: this.#base + damage.from, bytes, isTorn: false, lostRecords });
  }
}
