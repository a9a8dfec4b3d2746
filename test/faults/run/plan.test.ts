import { expect, test } from "bun:test";
import { Random } from "@ingest/testkit";
import { clusterFaults } from "./cluster-faults.ts";
import { faultsOf } from "./faults.ts";
import { planFaults } from "./plan.ts";

const TOTAL_MS = 600_000;

test("the same seed plans the same faults at the same times, another seed plans others", () => {
  const plan = (seed: number) =>
    planFaults(new Random(seed), TOTAL_MS, faultsOf(3), 3).map(({ fault, broker, startMs }) => [
      fault.name,
      broker,
      startMs,
    ]);
  expect(plan(1)).toEqual(plan(1));
  expect(plan(1)).not.toEqual(plan(2));
});

test("faults of the same component never overlap, others do, and all end in time", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const plan = planFaults(new Random(seed), TOTAL_MS, faultsOf(3), 3);
    let overlaps = 0;
    for (const [index, { fault, startMs, durationMs }] of plan.entries()) {
      expect(startMs + durationMs).toBeLessThanOrEqual(TOTAL_MS);
      for (const before of plan.slice(0, index)) {
        if (before.startMs + before.durationMs <= startMs) continue;
        overlaps++;
        const shared = before.fault.components.filter((component) => fault.components.includes(component));
        expect(shared).toEqual([]);
      }
    }
    expect(overlaps).toBeGreaterThan(0);
  }
});

test("a run on three brokers disturbs each of them, a run on one has no fault that needs another", () => {
  const plan = planFaults(new Random(1), TOTAL_MS, faultsOf(3), 3);
  expect(new Set(plan.map(({ broker }) => broker))).toEqual(new Set([0, 1, 2]));
  const names = faultsOf(1).map(({ name }) => name);
  expect(names).toContain("broker killed");
  for (const { name } of clusterFaults) expect(names).not.toContain(name);
});
