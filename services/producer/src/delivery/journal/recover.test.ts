// A journal's file after any damage: intact records are read, damaged ones never are, and nothing throws.
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { Random, temporaryFolder } from "@ingest/testkit";
import { ReplayCursor } from "./cursor.ts";
import { segmentPath } from "./folder.ts";
import { recoverSegment } from "./recover.ts";
import { Segment } from "./segment.ts";
import { SegmentList } from "./segment-list.ts";

const SALT = 0x5a17ed;
const NOW = 1_700_000_000_000;

function listOf(segment: Segment): SegmentList {
  const list = new SegmentList();
  list.add(segment);
  return list;
}

interface Written {
  bytes: Buffer;
  values: string[];
  /** Where each record ends. */
  ends: number[];
}

function writeSegment(folder: string, random: Random): Written {
  const segment = Segment.create(1, SALT, segmentPath(folder, 1, SALT), "events", NOW);
  const values: string[] = [];
  const ends: number[] = [];
  const count = 1 + random.below(40);
  for (let i = 0; i < count; i++) {
    const value = `${i}:${"v".repeat(random.below(400))}`;
    const key = random.next() < 0.2 ? null : `key-${i % 5}`;
    const topic = random.next() < 0.3 ? "orders" : undefined;
    const headers = random.next() < 0.3 ? [["id", value] as const] : undefined;
    segment.append({ key, value: Buffer.from(value), topic, headers }, NOW + i);
    values.push(value);
    ends.push(segment.length);
  }
  return { bytes: segment.read(0), values, ends };
}

/** What recovery and then replay make of a file. */
function readBack(folder: string, bytes: Buffer) {
  const path = segmentPath(folder, 2, SALT);
  writeFileSync(path, bytes);
  const { segment, damages } = recoverSegment({ id: 2, salt: SALT, path }, "fallback");
  const late: unknown[] = [];
  const cursor = new ReplayCursor(listOf(segment), (damage) => late.push(damage));
  const values: string[] = [];
  for (let record = cursor.peek(); record; record = cursor.peek()) {
    values.push(record.value.toString());
    cursor.advance();
  }
  return { segment, damages, late, values };
}

/** The first byte in which two files differ, or where the shorter one ends. */
function firstDifference(a: Buffer, b: Buffer): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) if (a[i] !== b[i]) return i;
  return end;
}

describe("an undamaged segment", () => {
  test("is read completely", () => {
    using folder = temporaryFolder();
    const { bytes, values } = writeSegment(folder.path, new Random(1));
    const read = readBack(folder.path, bytes);
    expect(read.values).toEqual(values);
    expect([read.damages, read.late]).toEqual([[], []]);
    expect(read.segment.topic).toBe("events");
  });

  test("an acknowledged record is not read again", () => {
    using folder = temporaryFolder();
    const { bytes, values } = writeSegment(folder.path, new Random(2));
    const { segment } = readBack(folder.path, bytes);
    segment.acks.add(0);
    segment.acks.add(values.length - 1);
    const cursor = new ReplayCursor(listOf(segment), () => {});
    expect(cursor.peek()!.value.toString()).toBe(values[1]!);
  });
});

describe("a segment with damage", () => {
  test("1,000 truncations and bit flips: no record before the damage is lost, no wrong record is read", () => {
    using folder = temporaryFolder();
    for (let seed = 1; seed <= 1_000; seed++) {
      const random = new Random(seed);
      const { bytes, values, ends } = writeSegment(folder.path, random);
      const damaged = Buffer.from(
        random.next() < 0.5 ? bytes : bytes.subarray(0, random.below(bytes.length)),
      );
      const flips = damaged.length === bytes.length ? 1 + random.below(4) : random.below(3);
      for (let i = 0; i < flips && damaged.length > 0; i++)
        damaged[random.below(damaged.length)]! ^= 1 << random.below(8);

      const read = readBack(folder.path, damaged);
      const hint = `seed ${seed}`;
      // Records are read as they were written, in order.
      expect(
        values.filter((value) => read.values.includes(value)),
        hint,
      ).toEqual(read.values);
      // All records before the first damaged byte are read.
      const safe = firstDifference(bytes, damaged);
      const intact = values.filter((_, i) => ends[i]! <= safe);
      // Unless the header is damaged, and even then all records behind it are found.
      expect(read.values.slice(0, intact.length), hint).toEqual(intact);
      // Bytes that are not read are reported as damage.
      if (read.values.length < values.length && damaged.length === bytes.length)
        expect(read.damages.length, hint).toBeGreaterThan(0);
      expect(read.segment.unacknowledged, hint).toBe(read.values.length);
      expect(read.late, hint).toEqual([]);
    }
  });

  test("a damaged record affects no other", () => {
    using folder = temporaryFolder();
    const { bytes, values, ends } = writeSegment(folder.path, new Random(11));
    bytes[ends[3]! + 40]! ^= 4;
    const { values: read, damages } = readBack(folder.path, bytes);
    expect(read).toEqual(values.filter((_, i) => i !== 4));
    expect(damages).toMatchObject([{ offset: ends[3]!, isTorn: false, lostRecords: 1 }]);
  });

  test("a damaged header loses no record, only the topic's name", () => {
    using folder = temporaryFolder();
    const { bytes, values } = writeSegment(folder.path, new Random(12));
    bytes[20]! ^= 1;
    const read = readBack(folder.path, bytes);
    expect(read.values).toEqual(values);
    expect(read.segment.topic).toBe("fallback");
  });

  test("a torn write is distinguished from damage", () => {
    using folder = temporaryFolder();
    const { bytes, values, ends } = writeSegment(folder.path, new Random(13));
    const cut = readBack(folder.path, Buffer.from(bytes.subarray(0, ends.at(-2)! + 10)));
    expect(cut.values).toEqual(values.slice(0, -1));
    expect(cut.damages.map((damage) => damage.isTorn)).toEqual([true]);
    const zeros = readBack(folder.path, Buffer.concat([bytes, Buffer.alloc(4096)]));
    expect(zeros.values).toEqual(values);
    expect(zeros.damages.map((damage) => damage.isTorn)).toEqual([true]);
  });

  test("a record with a topic and headers that is torn at any byte leaves those before it, and is no damage", () => {
    using folder = temporaryFolder();
    const segment = Segment.create(1, SALT, segmentPath(folder.path, 1, SALT), "events", NOW);
    const extras = { topic: "orders", headers: [["ce_id", "é"] as const, ["null", null] as const] };
    segment.append({ key: "k", value: Buffer.from("first"), ...extras }, NOW);
    const start = segment.length;
    segment.append({ key: "k", value: Buffer.from("second"), ...extras }, NOW);
    const bytes = segment.read(0);
    for (let end = start + 1; end < bytes.length; end++) {
      const { values, damages } = readBack(folder.path, Buffer.from(bytes.subarray(0, end)));
      expect([end, values, damages.map(({ isTorn }) => isTorn)]).toEqual([end, ["first"], [true]]);
    }
  });

  test("arbitrary bytes, and an empty file", () => {
    using folder = temporaryFolder();
    expect(readBack(folder.path, Buffer.alloc(0)).values).toEqual([]);
    for (let seed = 0; seed < 50; seed++) {
      const random = new Random(seed);
      const noise = Buffer.from(Array.from({ length: random.below(5000) }, () => random.below(256)));
      expect(readBack(folder.path, noise).values).toEqual([]);
    }
  });
});
