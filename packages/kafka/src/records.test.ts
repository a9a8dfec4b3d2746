import { expect, test } from "bun:test";
import { lastHeader, toConsumedRecord } from "./records.ts";

const message = { topic: "t", partition: 1, offset: 7, value: Buffer.from("v"), timestamp: 1000 };

test("a message becomes a record without copying its buffers", () => {
  const key = Buffer.from("k");
  const record = toConsumedRecord({
    ...message,
    key,
    headers: [{ a: Buffer.from("1") }, { b: "2" }, { a: "3" }, { a: null }],
  });
  expect(record).toEqual({
    topic: "t",
    partition: 1,
    offset: 7,
    key,
    value: message.value,
    timestampMs: 1000,
    headers: [
      ["a", Buffer.from("1")],
      ["b", Buffer.from("2")],
      ["a", Buffer.from("3")],
      ["a", null],
    ],
  });
  expect(record.key).toBe(key);
  expect(record.value).toBe(message.value);
});

test("no key, no value, no timestamp, no headers", () => {
  expect(toConsumedRecord({ topic: "t", partition: 0, offset: 0, value: null })).toEqual({
    topic: "t",
    partition: 0,
    offset: 0,
    key: null,
    value: null,
    timestampMs: -1,
    headers: [],
  });
});

test("of several headers with one name the last counts, also when it is null", () => {
  const one = Buffer.from("1");
  const two = Buffer.from("2");
  expect(
    lastHeader(
      [
        ["a", one],
        ["a", two],
      ],
      "a",
    ),
  ).toBe(two);
  expect(
    lastHeader(
      [
        ["a", one],
        ["a", null],
      ],
      "a",
    ),
  ).toBeNull();
  expect(lastHeader([["a", one]], "b")).toBeUndefined();
});
