import { expect, test } from "bun:test";
import { createEventSource } from "../load/events.ts";
import { EventOutcome, Ledger } from "../load/ledger.ts";
import { Recorder } from "./recorder.ts";

const source = createEventSource({ runId: "bench-00", users: 0, payloadBytes: 0, seed: 1 });

function record(isBatch: boolean) {
  const ledger = new Ledger();
  return { ledger, recorder: new Recorder(source, ledger, isBatch) };
}

const accepted = (n: number) => `{"status":"accepted","event_id":"bench-00-${n}"}`;

test("percentiles are those of the values, to three digits", () => {
  const { recorder } = record(false);
  const values = Array.from({ length: 10_000 }, (_, i) => ((i * 7919) % 10_000) / 10 + 0.05);
  for (const [n, ms] of values.entries()) recorder.onResponse(n, 1, 202, accepted(n), ms, ms);
  const sorted = values.toSorted((a, b) => a - b);
  for (const percentile of [50, 90, 99, 99.9]) {
    const exact = sorted[Math.ceil((percentile / 100) * sorted.length) - 1]! * 1000;
    const error = Math.abs(recorder.latency.getValueAtPercentile(percentile) - exact) / exact;
    expect(error).toBeLessThan(0.001);
  }
  expect(recorder.latency.maxValue).toBeCloseTo(sorted.at(-1)! * 1000, -3);
  expect(recorder.serviceTime.totalCount).toBe(0);
});

test("refusals have a latency of their own", () => {
  const { recorder } = record(false);
  recorder.onResponse(0, 1, 202, accepted(0), 10, 10);
  recorder.onResponse(1, 1, 503, '{"code":"queue_full"}', 1, 1);
  recorder.onResponse(2, 1, 500, "oops", 1, 1);
  expect([recorder.latency.totalCount, recorder.refusedLatency.totalCount]).toEqual([1, 2]);
  expect(recorder.refusalCodes).toEqual(
    new Map([
      ["queue_full", 1],
      ["http_500", 1],
    ]),
  );
  expect(recorder.examples.get("http_500")).toBe("oops");
  expect(recorder.outcomes).toEqual([0, 1, 1, 1]);
});

test("an unusable response leaves the event's outcome unknown", () => {
  const { recorder, ledger } = record(false);
  recorder.onResponse(0, 1, 202, accepted(1), 1, 1);
  recorder.onResponse(1, 1, 202, "<html>", 1, 1);
  expect(recorder.failures).toEqual(
    new Map([
      ["wrong_event_id", 1],
      ["unexpected_body", 1],
    ] as const),
  );
  expect([ledger.outcomeOf(0), ledger.outcomeOf(1)]).toEqual([EventOutcome.Unknown, EventOutcome.Unknown]);
  expect([recorder.completed, recorder.failed, recorder.settled]).toEqual([2, 0, 2]);
});

test("a batch counts its events, each by its own result", () => {
  const { recorder, ledger } = record(true);
  const results = [
    { index: 0, event_id: "bench-00-10", status: "accepted" },
    { index: 2, event_id: "bench-00-12", status: "retry" },
  ];
  recorder.onResponse(10, 3, 207, JSON.stringify({ results }), 1, 1);
  recorder.onResponse(13, 3, 503, '{"code":"queue_full"}', 1, 1);
  recorder.onFailure(16, 3, "timeout");
  recorder.onFailure(19, 3, "connect_failed");
  expect(Array.from({ length: 12 }, (_, i) => ledger.outcomeOf(10 + i))).toEqual([
    EventOutcome.Accepted,
    EventOutcome.Unknown,
    EventOutcome.Refused,
    EventOutcome.Refused,
    EventOutcome.Refused,
    EventOutcome.Refused,
    EventOutcome.Unknown,
    EventOutcome.Unknown,
    EventOutcome.Unknown,
    EventOutcome.Unsent,
    EventOutcome.Unsent,
    EventOutcome.Unsent,
  ]);
  expect(recorder.outcomes).toEqual([3, 4, 1, 4]);
  expect(recorder.eventStatus).toEqual(
    new Map([
      ["accepted", 1],
      ["retry", 1],
    ]),
  );
  expect(recorder.refusalCodes).toEqual(new Map([["queue_full", 3]]));
});

test("a time beyond the histogram's maximum of an hour is counted there, and does not throw", () => {
  const { recorder } = record(false);
  recorder.onResponse(0, 1, 202, accepted(0), 5 * 3_600_000, 1);
  expect(recorder.latency.totalCount).toBe(1);
});
