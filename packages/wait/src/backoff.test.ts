import { expect, test } from "bun:test";
import { backoffMs } from "./backoff.ts";

const settings = { firstMs: 100, maxMs: 1_000 };

test("pauses double up to the maximum, and half of each is random", () => {
  expect([1, 2, 3, 4, 5, 50].map((failures) => backoffMs(failures, settings, 1))).toEqual([
    100, 200, 400, 800, 1_000, 1_000,
  ]);
  expect(backoffMs(3, settings, 0)).toBe(200);
});
