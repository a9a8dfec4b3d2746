// A short fault run. `bun run test:faults --seed N --minutes M` runs it for longer.
import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { mountSmallDisk } from "@ingest/testkit";
import type { RunReport } from "./run/report.ts";
import { runFaults } from "./run/run.ts";

// This seed moves leaders, kills brokers, the controller and services, leaves too few replicas in sync, sticks a partition, and
// fills the disk.
const SEED = Number(process.env.FAULT_SEED ?? 330);
const BROKERS = Number(process.env.FAULT_BROKERS ?? 3);
const MINUTES = Number(process.env.FAULT_MINUTES ?? 0.75);

let report: RunReport | undefined;

test(`${MINUTES} minutes of faults on ${BROKERS} brokers, seed ${SEED}: no acknowledged event is lost, out of order or unhandled`, async () => {
  report = await runFaults({
    seed: SEED,
    minutes: MINUTES,
    users: 20,
    thinkMs: 40,
    consumers: 2,
    brokers: BROKERS,
    report: () => {},
  });
  // A failure shows the whole report.
  expect(report.failures, JSON.stringify(report, null, 2)).toEqual([]);
  expect(report.acknowledged.none).toBe(0);
  expect(report.acknowledged.stored + report.acknowledged.durable).toBeGreaterThan(0);
  rmSync(report.folder, { recursive: true, force: true });
}, 300_000);

function canMountSmallDisk(): boolean {
  using disk = mountSmallDisk(1024 * 1024);
  return disk.isMounted;
}

test.skipIf(!canMountSmallDisk())("the run included faults of the journal's disk", () => {
  expect(report?.skippedFaults).toEqual([]);
});
