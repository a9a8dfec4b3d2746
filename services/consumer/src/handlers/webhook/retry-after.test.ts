import { expect, test } from "bun:test";
import { retryAfterMs } from "./retry-after.ts";

const now = Date.parse("2026-01-31T12:00:00Z");

test.each([
  ["120", 120_000],
  ["0", 0],
  ["Sat, 31 Jan 2026 12:00:30 GMT", 30_000],
  ["Sat, 31 Jan 2026 11:00:00 GMT", 0],
  ["-1", undefined],
  ["1.5", undefined],
  ["soon", undefined],
  ["2027", 2_027_000],
  ["", undefined],
  [null, undefined],
])("%p is %p ms", (text, ms) => {
  expect(retryAfterMs(text, now)).toBe(ms as number);
});
