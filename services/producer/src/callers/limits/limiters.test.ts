import { expect, test } from "bun:test";
import { join } from "node:path";
import { Registry } from "@ingest/service";
import { temporaryFolder } from "@ingest/testkit";
import pino from "pino";
import { FileProblems } from "../../file-problems.ts";
import { parseCallers } from "../parse-file.ts";
import { keepLimits } from "./index.ts";
import { LocalLimiters } from "./limiters.ts";
import { limitMetrics, quotaMetrics } from "./metrics.ts";
import { ManualClock, toLimits } from "./testing/limits.ts";

function problemsOf(limits: string): string[] {
  const text = `{"callers":[{"id":"shop","keys":[{"sha256":"${"0".repeat(64)}"}],"limits":${limits}}]}`;
  const parsed = parseCallers(text, { defaultDurability: "accepted", hasJournal: true });
  return parsed instanceof FileProblems
    ? parsed.problems.map(({ pointer, message }) => `${pointer} ${message}`)
    : [];
}

test.each([
  ['{"events_per_second":0}', "must be an integer from 1, got 0"],
  ['{"events_per_second":-5}', "must be an integer from 1, got -5"],
  ['{"events_per_second":0.5}', "must be an integer from 1, got 0.5"],
  ['{"events_per_second":1e999}', "must be an integer from 1, got null"],
  ['{"events_per_second":1e300}', "must not be more than 1000000000000, got 1e+300"],
  ['{"events_per_second":"NaN"}', 'must be an integer from 1, got "NaN"'],
])("the limits %s are refused by name", (limits, message) => {
  expect(problemsOf(limits)).toEqual([`/callers/0/limits/events_per_second ${message}`]);
});

test("a burst without its rate is refused, also for addresses", () => {
  expect(problemsOf('{"burst_events":5}')).toEqual([
    "/callers/0/limits/burst_events requires events_per_second",
  ]);
  const text = '{"callers":[],"anonymous":{"limits_per_address":{"burst_bytes":5}}}';
  expect(parseCallers(text, { defaultDurability: "accepted", hasJournal: true })).toEqual(
    new FileProblems([
      { pointer: "/anonymous/limits_per_address/burst_bytes", message: "requires bytes_per_second" },
    ]),
  );
});

test("a caller whose id stays keeps its bucket and its quota, with the limits of the new file", async () => {
  const limiters = new LocalLimiters(undefined, new ManualClock());
  const before = limiters.of({ id: "shop", limits: toLimits({ eventsPerSecond: 10, eventsPerDay: 100 }) })!;
  expect(before.take(20, 20)).toBe(10);
  const after = limiters.of({ id: "shop", limits: toLimits({ eventsPerSecond: 50, eventsPerDay: 11 }) })!;
  expect(after.take(1, 1)).toBe(0);
  expect([...limiters.quotaUse()]).toEqual([{ caller: "shop", unit: "events", used: 10, max: 11 }]);
  expect(limiters.of({ id: "shop", limits: toLimits({}) })).toBeUndefined();
  const other = limiters.of({ id: "app", limits: toLimits({ eventsPerSecond: 10 }) })!;
  expect(await other.take(20, 20)).toBe(10);
});

test("metrics name callers and limits, and nothing is opened before there is a quota", async () => {
  using folder = temporaryFolder();
  const log = pino({ level: "silent" });
  const file = join(folder.path, "below", "quotas.sqlite");
  const kept = keepLimits(
    { QUOTA_FILE: file, JOURNAL_DIR: folder.path },
    { callers: [], anonymous: undefined },
    log,
  )!;
  const registry = new Registry();
  limitMetrics(registry, kept.limiters);
  quotaMetrics(registry, kept);
  const rated = kept.limiters.of({ id: "app", limits: toLimits({ eventsPerSecond: 1 }) })!;
  await rated.take(4, 4);
  rated.refuse(rated.blocked(3, 3), 3);
  expect(await Bun.file(file).exists()).toBe(false);
  const limited = kept.limiters.of({ id: "shop", limits: toLimits({ eventsPerDay: 5 }) })!;
  await limited.take(2, 20);
  const text = await registry.metrics();
  expect(text).toContain('ingest_limited_requests_total{caller="app",limit="events_per_second"} 1\n');
  expect(text).toContain('ingest_limited_events_total{caller="app",limit="events_per_second"} 3\n');
  expect(text).toContain('ingest_quota_used{caller="shop",unit="events"} 2\n');
  expect(text).toContain('ingest_quota_max{caller="shop",unit="events"} 5\n');
  expect(text).toContain("ingest_quota_file_failures_total 0\n");
  kept.stop();
  expect(await Bun.file(file).exists()).toBe(true);
});

test("without CALLERS_FILE there are no limits", () => {
  expect(keepLimits({ JOURNAL_DIR: "unused" }, undefined, pino({ level: "silent" }))).toBeUndefined();
});
