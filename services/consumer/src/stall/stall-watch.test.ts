import { expect, test } from "bun:test";
import { StallWatch } from "./stall-watch.ts";

function watch() {
  const first = { hasWork: false, progress: 0 };
  const second = { hasWork: false, progress: 0 };
  const state = { now: 0, all: [first] };
  const stall = new StallWatch<typeof first>({
    timeoutMs: 1_000,
    all: () => state.all,
    stages: [{ hasWork: (of) => of.hasWork, progress: (of) => of.progress }],
    now: () => state.now,
  });
  return { state, stall, first, second };
}

test("idleness is not a stall, however long it lasts", () => {
  const { state, stall } = watch();
  expect(stall.isStalled).toBe(false);
  state.now = 1_000_000;
  expect(stall.isStalled).toBe(false);
});

test("work without progress is a stall, counted from when there was work", () => {
  const { state, stall, first } = watch();
  state.now = 50_000;
  expect(stall.isStalled).toBe(false);
  first.hasWork = true;
  state.now = 51_000;
  expect(stall.isStalled).toBe(false);
  state.now = 51_001;
  expect(stall.isStalled).toBe(true);
  expect(stall.stalledForMs()).toBe(1_001);
});

test("progress ends a stall", () => {
  const { state, stall, first } = watch();
  first.hasWork = true;
  expect(stall.isStalled).toBe(false);
  state.now = 5_000;
  expect(stall.isStalled).toBe(true);
  first.progress++;
  expect(stall.isStalled).toBe(false);
  state.now = 5_500;
  expect(stall.stalledForMs()).toBe(500);
});

// Fault: any progress counted for all, so the others hid a partition whose handler hung.
test("progress of one item doesn't hide the stall of another", () => {
  const { state, stall, first, second } = watch();
  state.all.push(second);
  first.hasWork = second.hasWork = true;
  for (; state.now <= 2_000; state.now += 500) {
    second.progress++;
    expect(stall.stalledForMs()).toBe(state.now);
  }
  expect(stall.isStalled).toBe(true);
  state.all = [second];
  expect(stall.isStalled).toBe(false);
});
