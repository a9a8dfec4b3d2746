import { describe, expect, test } from "bun:test";
import { type EventInput, isEventInput } from "@ingest/contract";
import { createEventSource, createRunId, numberOf } from "./events.ts";

const options = { runId: "bench-00", users: 1000, payloadBytes: 160, seed: 1 };

describe("createEventSource", () => {
  test.each([
    [options],
    [{ ...options, users: 0 }],
    [{ ...options, payloadBytes: 0 }],
    [{ ...options, payloadBytes: 1_000_000, seed: 0xffff_ffff }],
  ])("%j makes events that the service takes", (given) => {
    const source = createEventSource(given);
    for (const n of [0, 1, 999_999, 10_000_000]) {
      const event: unknown = JSON.parse(source.event(n));
      expect(isEventInput(event)).toBe(true);
      const { event_id, user_id, payload } = event as EventInput & { payload: { text: string } };
      expect(event_id).toBe(source.idOf(n));
      expect(user_id === undefined).toBe(given.users === 0);
      expect(payload.text).toHaveLength(given.payloadBytes);
    }
  });

  test("is ASCII, so that characters are bytes", () => {
    const source = createEventSource(options);
    for (let n = 0; n < 1000; n++) expect(Buffer.byteLength(source.event(n))).toBe(source.event(n).length);
  });

  test("gives the same events for the same seed, and others for another", () => {
    const [a, b, c] = [1, 1, 2].map((seed) => createEventSource({ ...options, seed }));
    expect(a!.event(5)).toBe(b!.event(5));
    expect(a!.event(5)).not.toBe(c!.event(5));
  });

  test("uses all users, about equally", () => {
    const source = createEventSource({ ...options, users: 10 });
    const seen = new Map<string, number>();
    for (let n = 0; n < 10_000; n++) {
      const { user_id } = JSON.parse(source.event(n)) as { user_id: string };
      seen.set(user_id, (seen.get(user_id) ?? 0) + 1);
    }
    expect(seen.size).toBe(10);
    for (const count of seen.values()) expect(Math.abs(count - 1000)).toBeLessThan(200);
  });

  test("a batch is an array or lines of the same events", () => {
    const source = createEventSource(options);
    const events = [7, 8, 9].map((n) => JSON.parse(source.event(n)) as unknown);
    expect(JSON.parse(source.batch(7, 3, "json"))).toEqual(events);
    const lines = source.batch(7, 3, "ndjson");
    expect(lines.endsWith("\n")).toBe(true);
    expect(
      lines
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(events);
  });
});

describe("numberOf", () => {
  test("reads back what idOf makes, and nothing else", () => {
    const runId = createRunId();
    const source = createEventSource({ ...options, runId });
    for (const n of [0, 1, 42, 10_000_000]) expect(numberOf(runId, source.idOf(n))).toBe(n);
    for (const id of ["", runId, `${runId}-`, `${runId}-01`, `${runId}-1x`, `${runId}x-1`, "bench-zz-1"]) {
      expect(numberOf(runId, id)).toBeUndefined();
    }
  });

  test("no two runs share an id", () => {
    expect(new Set(Array.from({ length: 1000 }, createRunId)).size).toBe(1000);
  });
});
