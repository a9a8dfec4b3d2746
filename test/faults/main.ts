#!/usr/bin/env bun
// The fault run by hand: as long as one likes.
import { parseArgs } from "node:util";
import { runFaults } from "./run/run.ts";

const usage = `Kills, stops, cuts off and fills up, under load, and then looks for every event that was acknowledged.

  bun run test:faults [options]

  --seed N      which faults, in which order; the same again for the same number (1)
  --minutes M   how long faults go on (5)
  --users N     callers at once, each with a key of its own (40)
  --think MS    longest pause of a caller between two events (40)
  --consumers N members of the consumers' group (2)
  --json        the report as JSON alone
  --help

Exit code 0 when nothing that was durable or stored is missing, each user's events are in order, the consumer skipped
nothing, memory stayed within its budget and no process needed a hand.
`;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    minutes: { type: "string", default: "5" },
    users: { type: "string", default: "40" },
    think: { type: "string", default: "40" },
    consumers: { type: "string", default: "2" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  process.stdout.write(usage);
  process.exit(0);
}
const ending = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => ending.abort());
const begun = performance.now();
const report = await runFaults({
  seed: Number(values.seed),
  minutes: Number(values.minutes),
  users: Number(values.users),
  thinkMs: Number(values.think),
  consumers: Number(values.consumers),
  signal: ending.signal,
  say: (text) => {
    if (!values.json)
      console.log(`${((performance.now() - begun) / 1000).toFixed(1).padStart(7)} s  ${text}`);
  },
});
console.log(JSON.stringify(report, null, 2));
if (!values.json)
  console.log(
    (report.failures.length === 0 ? "all is well" : `FAILED: ${report.failures.join("; ")}`) +
      (report.leftOut.length === 0 ? "" : `; LEFT OUT: ${report.leftOut.join(", ")}`),
  );
process.exit(report.failures.length === 0 ? 0 : 1);
