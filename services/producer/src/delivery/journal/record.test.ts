import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { type NewHeaders, readHeaderBlock } from "@ingest/kafka";
import { temporaryFolder } from "@ingest/testkit";
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  findRecord,
  readRecord,
  recordLengths,
  writeRecord,
} from "./record.ts";
import { recoverSegment } from "./recover.ts";

const SALT = 0xfeedbee5;

interface Extras {
  topic?: string;
  headers?: NewHeaders;
}

function record(
  value: string | Buffer,
  key: string | null,
  offset = 0,
  ordinal = 0,
  extras: Extras = {},
): Buffer {
  const parts = { key, value, ...extras };
  const lengths = recordLengths(parts);
  const bytes = Buffer.alloc(lengths.total);
  writeRecord(bytes, 0, SALT, parts, lengths, { offset, ordinal, receivedMs: 1_700_000_000_123 });
  return bytes;
}

describe("a record", () => {
  test.each([
    ["{}", "user-1"],
    ["", ""],
    ["naïve ☃", "ключ"],
    ["x".repeat(70_000), null],
  ])("is read back as it was written", (value, key) => {
    const bytes = record(value, key, 0, 7);
    expect(record(Buffer.from(value), key, 0, 7)).toEqual(bytes);
    const read = readRecord(bytes, 0, 0, SALT)!;
    expect(read).toEqual({
      ordinal: 7,
      receivedMs: 1_700_000_000_123,
      key,
      value: Buffer.from(value),
      topic: undefined,
      headers: undefined,
      end: bytes.length,
    });
  });

  test.each([
    [{ topic: "orders" }],
    [
      {
        headers: [
          ["ce_id", "naïve ☃"] as const,
          ["n", null] as const,
          ["ce_id", Buffer.from([0, 255])] as const,
        ],
      },
    ],
    [{ topic: "bestellungen.ö", headers: [["", ""] as const] }],
  ])("is read back with its own topic and headers: %j", (extras: Extras) => {
    for (const key of ["user-1", "", null]) {
      const bytes = record('{"a":1}', key, 0, 3, extras);
      const read = readRecord(bytes, 0, 0, SALT)!;
      expect(read).toMatchObject({ ordinal: 3, key, value: Buffer.from('{"a":1}'), end: bytes.length });
      expect(read.topic).toBe(extras.topic);
      const headers = extras.headers?.map(([name, value]) => [
        name,
        value === null ? null : Buffer.from(value as never),
      ]);
      expect(read.headers && readHeaderBlock(read.headers)).toEqual(headers as never);
      for (let length = 0; length < bytes.length; length++)
        expect(readRecord(bytes.subarray(0, length), 0, 0, SALT)).toBeUndefined();
    }
  });

  test("costs no byte more when it has neither", () => {
    expect(record("value", "key")).toHaveLength(32 + 3 + 5);
  });

  test("a copy of a record inside a value is not mistaken for one", () => {
    const inner = record("inner", "k", 500);
    const outer = record(inner.toString("latin1"), "k");
    // Even when the outer record can't be read any more.
    outer[4]! ^= 1;
    expect(readRecord(outer, 0, 0, SALT)).toBeUndefined();
    expect(findRecord(outer, 1, 0, SALT)).toBe(-1);
  });

  test("a record with another segment's salt is not read", () => {
    expect(readRecord(record("v", "k"), 0, 0, SALT + 1)).toBeUndefined();
  });
});

describe("a segment's header", () => {
  test("is decoded, and not when a bit has changed", () => {
    const header = encodeSegmentHeader("events", 1_700_000_000_000, SALT);
    expect(decodeSegmentHeader(header, SALT)).toEqual({
      topic: "events",
      createdMs: 1_700_000_000_000,
      bytes: header.length,
    });
    for (let bit = 0; bit < header.length * 8; bit++) {
      const damaged = Buffer.from(header);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(decodeSegmentHeader(damaged, SALT)).toBeUndefined();
    }
  });
});

test("a file of version 0.1, whose records have neither topic nor headers, is read", () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/old.segment`;
  const header = "494e474a524e4c3100008056febc784206006576656e7473d9792f37";
  const first = "4952454379b0621c1c0000000000000000b08756febc78420700000006000000757365722d317b2261223a317d";
  const second = "4952454306ddfca7490000000100000000809c56febc784202000000ffff00007b7d";
  writeFileSync(path, Buffer.from(header + first + second, "hex"));
  const { segment, damages } = recoverSegment({ id: 1, salt: SALT, path }, "fallback");
  expect(damages).toEqual([]);
  expect(segment).toMatchObject({ topic: "events", records: 2, unacknowledged: 2 });
  const bytes = segment.read(0);
  const read = readRecord(bytes, 28, 0, SALT)!;
  expect(read).toMatchObject({ key: "user-1", value: Buffer.from('{"a":1}'), receivedMs: 1_700_000_000_123 });
  expect(readRecord(bytes, read.end, 0, SALT)).toMatchObject({
    key: null,
    value: Buffer.from("{}"),
    ordinal: 1,
  });
});
