import { expect, test } from "bun:test";
import { StallWatch } from "./stall-watch.ts";

function watch() {
  const first = { hasWork: false, done: 0 };
  const second = { hasWork: false, done: 0 };
  const state = { now: 0, all: [first] };
  const stall = new StallWatch<typeof first>({
    timeoutMs: 1_000,
    all: () => state.all,
    stages: [{ hasWork: (of) => of.hasWork, done: (of) => of.done }],
    now: () => state.now,
  });
  return { state, stall, first, second };
}

test("being idle is no stall, however long", () => {
  const { state, stall } = watch();
  expect(stall.isStalled).toBe(false);
  state.now = 1_000_000;
  expect(stall.isStalled).toBe(false);
});

test("work without progress is, from when there was work", () => {
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

test("progress ends it", () => {
  const { state, stall, first } = watch();
  first.hasWork = true;
  expect(stall.isStalled).toBe(false);
  state.now = 5_000;
  expect(stall.isStalled).toBe(true);
  first.done++;
  expect(stall.isStalled).toBe(false);
  state.now = 5_500;
  expect(stall.stalledForMs()).toBe(500);
});

// Fault: any progress counted for all, so that a partition whose handler hung was hidden by the others.
test("what gets on hides nothing that doesn't", () => {
  const { state, stall, first, second } = watch();
  state.all.push(second);
  first.hasWork = second.hasWork = true;
  for (; state.now <= 2_000; state.now += 500) {
    second.done++;
    expect(stall.stalledForMs()).toBe(state.now);
  }
  expect(stall.isStalled).toBe(true);
  state.all = [second];
  expect(stall.isStalled).toBe(false);
});
