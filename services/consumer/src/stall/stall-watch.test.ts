import { expect, test } from "bun:test";
import { StallWatch } from "./stall-watch.ts";

function watch() {
  const state = { now: 0, hasWork: false, lastProgressAt: 0 };
  const stall = new StallWatch({
    timeoutMs: 1_000,
    hasWork: () => state.hasWork,
    lastProgressAt: () => state.lastProgressAt,
    now: () => state.now,
  });
  return { state, stall };
}

test("being idle is no stall, however long", () => {
  const { state, stall } = watch();
  state.now = 1_000_000;
  expect(stall.isStalled).toBe(false);
});

test("work without progress is, from when there was work", () => {
  const { state, stall } = watch();
  state.now = 50_000;
  expect(stall.isStalled).toBe(false);
  state.hasWork = true;
  state.now = 51_000;
  expect(stall.isStalled).toBe(false);
  state.now = 51_001;
  expect(stall.isStalled).toBe(true);
  expect(stall.stalledForMs()).toBe(1_001);
});

test("progress ends it", () => {
  const { state, stall } = watch();
  state.hasWork = true;
  state.now = 5_000;
  expect(stall.isStalled).toBe(true);
  state.lastProgressAt = 4_900;
  expect(stall.isStalled).toBe(false);
});
