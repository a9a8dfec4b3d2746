import { expect, test } from "bun:test";
import { toIdempotencyKey } from "./idempotency-key.ts";

test.each([
  ['"8e03978e-40d5-43e8-bc93-6894a57f9324"', "8e03978e-40d5-43e8-bc93-6894a57f9324"],
  ["8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e-40d5-43e8-bc93-6894a57f9324"],
  [String.raw`"a \"b\" \\c, d"`, String.raw`a "b" \c, d`],
  ["order:42/retry+1==", "order:42/retry+1=="],
  [`"${"x".repeat(255)}"`, "x".repeat(255)],
])("%s is a key", (header, key) => {
  expect(toIdempotencyKey(header)).toBe(key);
});

test("a request without the header has none", () => {
  expect(toIdempotencyKey(null)).toBeUndefined();
});

test.each([
  "",
  '""',
  '"a',
  'a"',
  '"a", "b"',
  "a, b",
  "a b",
  '"a";b=1',
  String.raw`"\a"`,
  "é",
  "x".repeat(256),
])("%j is malformed", (header) => {
  expect(toIdempotencyKey(header)).toMatchObject({
    code: "bad_parameter",
    detail: expect.stringContaining("Idempotency-Key is malformed: send one string") as string,
  });
});
