import { expect, test } from "bun:test";
import { backoffMs, waitMs } from "./backoff.ts";

const settings = { firstMs: 100, maxMs: 1_000 };

test("doubles up to the most, and half of it is chance", () => {
  expect([1, 2, 3, 4, 5, 50].map((failures) => backoffMs(failures, settings, 1))).toEqual([
    100, 200, 400, 800, 1_000, 1_000,
  ]);
  expect(backoffMs(3, settings, 0)).toBe(200);
});

test("a wait ends early when aborted, and says so", async () => {
  const controller = new AbortController();
  const waiting = waitMs(60_000, controller.signal);
  controller.abort();
  expect(await waiting).toBe(false);
  expect(await waitMs(60_000, controller.signal)).toBe(false);
  expect(await waitMs(1, new AbortController().signal)).toBe(true);
});
