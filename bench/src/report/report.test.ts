import { describe, expect, test } from "bun:test";
import Ajv from "ajv";
import addFormats from "ajv-formats";
import { createEventSource } from "../load/events.ts";
import { Ledger } from "../load/ledger.ts";
import type { LoadResult } from "../load/run-load.ts";
import { Recorder } from "../measure/recorder.ts";
import { type Options, parseOptions } from "../options.ts";
import { printReport } from "./print.ts";
import { toReport } from "./report.ts";
import type { Report, VerificationReport } from "./schema.ts";

const source = createEventSource({ runId: "bench-00", users: 0, payloadBytes: 0, seed: 1 });
const load: LoadResult = { elapsedMs: 2000, overdue: 0 };

function report(
  argv: string[] = [],
  record: (recorder: Recorder) => void = () => {},
  verification: VerificationReport | null = null,
): Report {
  const options = parseOptions(argv, {}) as Options;
  const recorder = new Recorder(source, new Ledger(), options.batch !== undefined);
  record(recorder);
  return toReport({
    options,
    startedAt: new Date(0),
    runId: "bench-00",
    eventBytes: 300,
    interrupted: false,
    load,
    cpuMicros: 1_000_000,
    recorder,
    verification,
  });
}

/** 100 responses in 1 to 100 ms, three refusals, a timeout. */
function mixed(recorder: Recorder): void {
  for (let n = 0; n < 100; n++) {
    recorder.onSent(0);
    recorder.onResponse(n, 1, 202, `{"status":"accepted","event_id":"bench-00-${n}"}`, n + 1, n + 1);
  }
  for (let n = 100; n < 103; n++) {
    recorder.onSent(0);
    recorder.onResponse(n, 1, 503, '{"code":"queue_full",\n"detail":"later"}', 0.5, 0.5);
  }
  recorder.onSent(0);
  recorder.onFailure(103, 1, "timeout");
}

const verification: VerificationReport = {
  topic: "events",
  accepted: 100,
  stored: 99,
  missing: 1,
  duplicated: 2,
  unknownStored: 1,
  refusedStored: 0,
  recordsRead: 105,
  seconds: 1.5,
  complete: true,
  missingIds: ["bench-00-7"],
};

describe("toReport", () => {
  test("counts, rates and percentiles", () => {
    const r = report([], mixed);
    expect(r.requests).toEqual({
      sent: 104,
      completed: 103,
      perSecond: 51.5,
      byStatus: { "202": 100, "503": 3 },
    });
    expect(r.events).toMatchObject({
      offered: 104,
      accepted: 100,
      refused: 3,
      unknown: 1,
      unsent: 0,
      acceptedPerSecond: 50,
    });
    expect(r.refusals).toEqual({ queue_full: 3 });
    expect(r.errors).toEqual({ timeout: 1 });
    expect(r.latencyMs.accepted).toMatchObject({ count: 100, max: 100 });
    expect(r.latencyMs.accepted!.p50).toBeCloseTo(50, 1);
    expect(r.latencyMs.accepted!.p99_9).toBeLessThanOrEqual(r.latencyMs.accepted!.max);
    expect(r.latencyMs.serviceTime).toBeNull();
    expect(r.benchCpu).toEqual({ seconds: 1, microsecondsPerRequest: 9708.738, share: 0.5 });
  });

  test("a run without requests divides nothing by zero", () => {
    load.elapsedMs = 0;
    const r = report();
    load.elapsedMs = 2000;
    expect(JSON.stringify(r)).not.toMatch(/NaN|Infinity|null,"max"/);
    expect([r.requests.perSecond, r.benchCpu.share, r.latencyMs.accepted]).toEqual([0, 0, null]);
  });
});

describe("the published schema", () => {
  const published = new URL("../../schema/report.schema.json", import.meta.url);

  test("accepts every kind of report and rejects everything else", async () => {
    const ajv = addFormats.default(new Ajv({ allErrors: true }));
    const validate = ajv.compile((await Bun.file(published).json()) as object);
    const reports = [
      report(),
      report([], mixed, verification),
      report(["--batch", "10", "--format", "ndjson", "--rate", "5", "--durability", "stored"]),
    ];
    for (const r of reports) {
      expect(validate(JSON.parse(JSON.stringify(r)))).toBe(true);
    }
    expect(validate({ ...reports[0], surprise: 1 })).toBe(false);
    expect(validate({ ...reports[0], elapsedSeconds: -1 })).toBe(false);
  });
});

describe("printReport", () => {
  test("prints every part of the report", () => {
    const text = printReport(report([], mixed, verification));
    for (const line of [
      "requests/s (RPS)    52",
      "events/s accepted   50",
      "accepted            100",
      "refused             3  (queue_full 3)",
      "outcome unknown     1  (sent, no conclusive response)",
      "responses by status 202 100, 503 3",
      "errors              timeout 1",
      'first queue_full: {"code":"queue_full", "detail":"later"}',
      "CPU of the bench    9708.7 µs a request, 50 % of a core",
      'Verified against topic "events" in 1.50 s',
      "accepted 100, stored 99, missing 1, duplicated 2",
      "of 1 with unknown outcome, 1 are in the topic",
      "missing: bench-00-7",
    ]) {
      expect(text).toContain(line);
    }
    for (const column of ["p50", "p90", "p99", "p99.9", "max"]) expect(text).toContain(column);
  });

  test("prints nothing about problems when there were none", () => {
    const text = printReport(
      report([], (r) => r.onResponse(0, 1, 202, '{"status":"accepted","event_id":"bench-00-0"}', 1, 1)),
    );
    expect(text).not.toMatch(/unknown|not sent|first |Verified/);
    expect(text).toContain("errors              0");
  });

  test("prints the requested and the achieved rate of an open loop", () => {
    load.overdue = 12;
    const text = printReport(report(["--rate", "1000"], mixed));
    load.overdue = 0;
    expect(text).toContain("target, actual rate 1,000/s, 52/s");
    expect(text).toContain("12 requests were due and never sent");
    expect(text).not.toContain("CPU");
  });
});
