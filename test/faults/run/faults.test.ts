import { expect, test } from "bun:test";
import { Random } from "@ingest/testkit";
import { planFaults } from "./faults.ts";

const TOTAL_MS = 600_000;

test("the same seed has the same faults at the same times, another one others", () => {
  const plan = (seed: number) =>
    planFaults(new Random(seed), TOTAL_MS).map(({ fault, atMs }) => [fault.name, atMs]);
  expect(plan(1)).toEqual(plan(1));
  expect(plan(1)).not.toEqual(plan(2));
});

test("no two faults hurt the same at once, some overlap, all end in time", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const plan = planFaults(new Random(seed), TOTAL_MS);
    let overlaps = 0;
    for (const [index, { fault, atMs, lastsMs }] of plan.entries()) {
      expect(atMs + lastsMs).toBeLessThanOrEqual(TOTAL_MS);
      for (const before of plan.slice(0, index)) {
        if (before.atMs + before.lastsMs <= atMs) continue;
        overlaps++;
        expect(before.fault.target.some((target) => fault.target.includes(target))).toBe(false);
      }
    }
    expect(overlaps).toBeGreaterThan(0);
  }
});
