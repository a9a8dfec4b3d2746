#!/usr/bin/env bun
// A fault run of any length, from the command line.
import { type Command, runCommand } from "@ingest/cli-flags";
import { runFaults } from "./run/run.ts";

const flags = {
  seed: { kind: "integer", min: 0, default: "1", help: "plans the faults: the same seed, the same plan" },
  minutes: {
    kind: "number",
    max: 10_080,
    unit: "minutes",
    default: "5",
    help: "how long faults are injected",
  },
  users: { kind: "integer", min: 1, default: "40", help: "concurrent callers, each with a key of its own" },
  think: { kind: "duration", default: "40ms", help: "a caller's longest pause between two requests" },
  brokers: {
    kind: "integer",
    min: 1,
    max: 9,
    default: "3",
    help: "brokers of the cluster; with one, the faults that need another are left out",
  },
  consumers: { kind: "integer", min: 1, default: "2", help: "members of the consumer group" },
  json: { kind: "switch", help: "print the report alone, as JSON" },
} as const;

const command: Command<typeof flags> = {
  name: "bun run test:faults",
  about: `Injects faults under load, then audits that every event kept the durability with which it was acknowledged.
Services, brokers and their controller are killed and paused, leaders move, too few replicas are in sync, one partition is
stuck, connections are reset, silent and slow, the journal's disk is full.`,
  flags,
  notes: `Exit code 0: no durable or stored event is missing, each user's events are in order, every record was handled,
memory stayed within its budget, and the services recovered without operator intervention.`,
};

const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupt.abort());

const exitCode = await runCommand(command, process.argv.slice(2), async ({ values }) => {
  const startedMs = performance.now();
  const { seed, minutes, users, think, brokers, consumers, json } = values;
  const report = await runFaults({
    seed,
    minutes,
    users,
    thinkMs: think,
    brokers,
    consumers,
    signal: interrupt.signal,
    report: (text) => {
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
      if (!json) console.log(`${seconds.padStart(7)} s  ${text}`);
    },
  });
  console.log(JSON.stringify(report, null, 2));
  if (!json) {
    console.log(report.failures.length === 0 ? "PASSED" : `FAILED: ${report.failures.join("; ")}`);
    if (report.skippedFaults.length > 0) console.log(`SKIPPED: ${report.skippedFaults.join(", ")}`);
  }
  return report.failures.length === 0 ? 0 : 1;
});
process.exit(exitCode);
