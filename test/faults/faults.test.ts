// The fault run, short: `bun run test:faults --seed N --minutes M` is the long one.
import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { runFaults } from "./run/run.ts";

const SEED = Number(process.env.FAULT_SEED ?? 7);
const MINUTES = Number(process.env.FAULT_MINUTES ?? 0.75);

test(`under faults for ${MINUTES} minutes, seed ${SEED}: nothing promised is lost, nothing out of order or skipped`, async () => {
  const report = await runFaults({ seed: SEED, minutes: MINUTES, users: 20, thinkMs: 40, say: () => {} });
  // The whole report, for a failure to be read.
  expect(report.failures, JSON.stringify(report, null, 2)).toEqual([]);
  expect(report.answered.none).toBe(0);
  expect(report.answered.stored + report.answered.durable).toBeGreaterThan(0);
  rmSync(report.folder, { recursive: true, force: true });
}, 300_000);
