// With a client that only records its calls.
import { describe, expect, test } from "bun:test";
import type { Client, ResponseHandler } from "../http/client.ts";
import { Recorder } from "../measure/recorder.ts";
import { createEventSource } from "./events.ts";
import { EventOutcome, Ledger } from "./ledger.ts";
import { type LoadPlan, runLoad } from "./run-load.ts";

const source = createEventSource({ runId: "bench-00", users: 0, payloadBytes: 0, seed: 1 });
const accept = (body: string) => {
  const { event_id } = JSON.parse(body) as { event_id: string };
  return `{"status":"accepted","event_id":"${event_id}"}`;
};

/** How the client reacts to a request; it may call `handler` at any later time. */
type OnSend = (slot: number, body: string, handler: ResponseHandler) => void;

const respondAtOnce: OnSend = (slot, body, handler) => {
  setImmediate(() => handler.onResponse(slot, 202, accept(body)));
};

function start(plan: Partial<LoadPlan>, onSend: OnSend, signal = new AbortController().signal) {
  const sends: { slot: number; body: string; at: number }[] = [];
  const aborted: number[] = [];
  const ledger = new Ledger();
  const recorder = new Recorder(source, ledger, false);
  const startedAt = performance.now();
  const result = runLoad(
    {
      target: { url: new URL("http://host"), headers: {} },
      createClient: (_target, _slots, handler): Client => ({
        send(slot, body) {
          sends.push({ slot, body, at: performance.now() - startedAt });
          onSend(slot, body, handler);
        },
        abort: (slot) => void aborted.push(slot),
        close() {},
      }),
      concurrency: 4,
      requests: 100,
      durationMs: undefined,
      ratePerSecond: undefined,
      timeoutMs: 10_000,
      eventsPerRequest: 1,
      body: source.event,
      ...plan,
    },
    recorder,
    signal,
  );
  return { result, recorder, ledger, sends, aborted };
}

describe("closed loop", () => {
  test("sends each request once and keeps every connection busy", async () => {
    const { result, recorder, ledger, sends } = start({}, respondAtOnce);
    const { overdue } = await result;
    expect(overdue).toBe(0);
    expect(sends.map(({ body }) => body)).toEqual(Array.from({ length: 100 }, (_, n) => source.event(n)));
    expect([recorder.sent, recorder.completed, recorder.outcomes[EventOutcome.Accepted]]).toEqual([
      100, 100, 100,
    ]);
    expect(ledger.size).toBe(100);
    for (const slot of [0, 1, 2, 3]) expect(sends.filter((send) => send.slot === slot)).toHaveLength(25);
  });

  test("sends fewer requests than there are connections", async () => {
    const { result, sends } = start({ requests: 2 }, respondAtOnce);
    await result;
    expect(sends).toHaveLength(2);
  });

  test("stops at the end of the duration, and waits for requests in flight", async () => {
    const { result, recorder } = start({ requests: Infinity, durationMs: 50 }, (slot, body, handler) => {
      setTimeout(() => handler.onResponse(slot, 202, accept(body)), 20);
    });
    const { elapsedMs } = await result;
    expect(elapsedMs).toBeGreaterThanOrEqual(50);
    expect(recorder.sent).toBe(recorder.completed);
    expect(recorder.failed).toBe(0);
  });

  test("aborts a request after the timeout, and reuses its slot", async () => {
    let silent = true;
    const { result, recorder, aborted } = start(
      { requests: 3, concurrency: 1, timeoutMs: 30 },
      (slot, body, handler) => {
        if (!silent) respondAtOnce(slot, body, handler);
        silent = false;
      },
    );
    await result;
    expect(aborted).toEqual([0]);
    expect(recorder.failures).toEqual(new Map([["timeout", 1]]));
    expect(recorder.outcomes).toEqual([0, 1, 2, 0]);
  });

  test("tries an unreachable server ten times a second, not as fast as it can refuse", async () => {
    const { result, recorder, sends } = start({ requests: Infinity, durationMs: 250 }, (slot, _, handler) => {
      setImmediate(() => handler.onFailure(slot, "connect_failed", "ECONNREFUSED"));
    });
    await result;
    expect(sends.length).toBeLessThanOrEqual(4 * 3);
    expect(recorder.outcomes[EventOutcome.Unsent]).toBe(sends.length);
    expect(recorder.examples.get("connect_failed")).toBe("ECONNREFUSED");
  });

  test("reconnects at once after a broken connection", async () => {
    const { result, recorder } = start({ requests: 100 }, (slot, _, handler) => {
      setImmediate(() => handler.onFailure(slot, "connection_closed"));
    });
    await result;
    expect([recorder.sent, recorder.failed, recorder.outcomes[EventOutcome.Unknown]]).toEqual([
      100, 100, 100,
    ]);
  });
});

describe("interrupted", () => {
  test("sends no more, and still counts the responses to requests in flight", async () => {
    const stop = new AbortController();
    const { result, recorder } = start(
      { requests: Infinity },
      (slot, body, handler) => {
        setTimeout(() => handler.onResponse(slot, 202, accept(body)), 10);
        if (source.event(20) === body) stop.abort();
      },
      stop.signal,
    );
    await result;
    expect(recorder.sent).toBe(21);
    expect(recorder.completed).toBe(21);
  });

  test("before the start: nothing is sent", async () => {
    const { result, sends } = start({}, respondAtOnce, AbortSignal.abort());
    expect(await result).toMatchObject({ overdue: 0 });
    expect(sends).toEqual([]);
  });
});

describe("open loop", () => {
  test("sends at its rate, no request before its time", async () => {
    const { result, sends } = start(
      { ratePerSecond: 200, durationMs: 200, requests: Infinity },
      respondAtOnce,
    );
    await result;
    expect(sends).toHaveLength(40);
    for (const [n, { at }] of sends.entries()) expect(at).toBeGreaterThanOrEqual(n * 5);
  });

  test("latency counts from the intended time: a stall delays all requests behind it", async () => {
    // One connection, a request each 10 ms, and the first response takes 100 ms: the nine behind it are sent late.
    let first = true;
    const { result, recorder } = start(
      { ratePerSecond: 100, requests: 10, concurrency: 1 },
      (slot, body, handler) => {
        const respond = () => handler.onResponse(slot, 202, accept(body));
        if (first) setTimeout(respond, 100);
        else setImmediate(respond);
        first = false;
      },
    );
    await result;
    const { latency, serviceTime } = recorder;
    expect([latency.totalCount, serviceTime.totalCount]).toEqual([10, 10]);
    // Intended at 0, 10, … 90 ms and completed from 100 ms on: at least 100, 90, … 10 ms.
    expect(latency.getValueAtPercentile(50)).toBeGreaterThanOrEqual(45_000);
    expect(latency.mean).toBeGreaterThan(serviceTime.mean + 30_000);
    expect(recorder.maxSendDelayMs).toBeGreaterThanOrEqual(80);
  });

  test("counts requests that were due and found no connection", async () => {
    const { result, recorder } = start(
      { ratePerSecond: 1000, durationMs: 100, requests: Infinity, concurrency: 1 },
      (slot, body, handler) => void setTimeout(() => handler.onResponse(slot, 202, accept(body)), 150),
    );
    const { overdue } = await result;
    expect(recorder.sent).toBe(1);
    expect(overdue).toBeGreaterThanOrEqual(90);
    expect(overdue).toBeLessThanOrEqual(99);
  });

  test("uses all connections equally, even if fewer would do", async () => {
    const { result, sends } = start({ ratePerSecond: 1000, requests: 40 }, respondAtOnce);
    await result;
    for (const slot of [0, 1, 2, 3]) expect(sends.filter((send) => send.slot === slot)).toHaveLength(10);
  });
});
