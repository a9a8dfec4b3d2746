import { describe, expect, test } from "bun:test";
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  findRecord,
  readRecord,
  recordBytes,
  writeRecord,
} from "./record.ts";

const SALT = 0xfeedbee5;

function record(value: string | Buffer, key: string | null, offset = 0, ordinal = 0): Buffer {
  const keyBytes = key === null ? 0 : Buffer.byteLength(key);
  const valueBytes = Buffer.byteLength(value);
  const bytes = Buffer.alloc(recordBytes(keyBytes, valueBytes));
  const parts = { offset, ordinal, receivedMs: 1_700_000_000_123, key, value };
  writeRecord(bytes, 0, SALT, parts, keyBytes, valueBytes);
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
      end: bytes.length,
    });
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
