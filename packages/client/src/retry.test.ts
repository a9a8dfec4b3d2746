import { expect, test } from "bun:test";
import { backoff, retryAfterMs } from "./retry.ts";

const nowMs = Date.parse("2026-01-31T12:00:00Z");

test.each([
  ["3", 3_000],
  ["0", 0],
  ["Sat, 31 Jan 2026 12:00:09 GMT", 9_000],
  ["Saturday, 31-Jan-26 12:00:09 GMT", 9_000],
  ["Sat, 31 Jan 2026 11:00:00 GMT", 0],
  ["99999999999999999999", 86_400_000],
  ["Sat, 31 Jan 2126 12:00:00 GMT", 86_400_000],
  ["", undefined],
  ["-1", undefined],
  ["1.5", undefined],
  ["soon", undefined],
  ["Someday, soon", undefined],
  [null, undefined],
])("Retry-After %p", (text, expected) => {
  expect(retryAfterMs(text, nowMs)).toBe(expected);
});

test("a pause is a random part of a limit that doubles", () => {
  expect([1, 2, 3, 4, 400].map((failures) => backoff(failures, 100, 500, 1))).toEqual([
    100, 200, 400, 500, 500,
  ]);
  expect(backoff(3, 100, 500, 0)).toBe(0);
});
