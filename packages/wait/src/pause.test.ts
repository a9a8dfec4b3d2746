import { expect, test } from "bun:test";
import { pause } from "./pause.ts";

test("a pause ends early when its signal aborts, and reports it", async () => {
  const controller = new AbortController();
  const pausing = pause(60_000, controller.signal);
  controller.abort();
  expect(await pausing).toBe(false);
  expect(await pause(60_000, controller.signal)).toBe(false);
  expect(await pause(1, new AbortController().signal)).toBe(true);
});
