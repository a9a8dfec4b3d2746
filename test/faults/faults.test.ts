// The fault run, short: `bun run test:faults --seed N --minutes M` is the long one.
import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { mountSmallDisk } from "./kit/small-disk.ts";
import { type RunReport, runFaults } from "./run/run.ts";

const SEED = Number(process.env.FAULT_SEED ?? 7);
const MINUTES = Number(process.env.FAULT_MINUTES ?? 0.75);

let report: RunReport | undefined;

test(`under faults for ${MINUTES} minutes, seed ${SEED}: nothing promised is lost, nothing out of order or skipped`, async () => {
  report = await runFaults({
    seed: SEED,
    minutes: MINUTES,
    users: 20,
    thinkMs: 40,
    consumers: 2,
    say: () => {},
  });
  // The whole report, for a failure to be read.
  expect(report.failures, JSON.stringify(report, null, 2)).toEqual([]);
  expect(report.answered.none).toBe(0);
  expect(report.answered.stored + report.answered.durable).toBeGreaterThan(0);
  rmSync(report.folder, { recursive: true, force: true });
}, 300_000);

function canMountSmallDisk(): boolean {
  using disk = mountSmallDisk(1024 * 1024);
  return disk.isReal;
}

test.skipIf(!canMountSmallDisk())("the run's faults had the journal's disk among them", () => {
  expect(report?.leftOut).toEqual([]);
});
