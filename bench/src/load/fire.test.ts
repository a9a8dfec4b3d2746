// Against a client that only notes what it is asked, so that time and order are all there is to see.
import { describe, expect, test } from "bun:test";
import type { AnswerHandler, Client } from "../http/client.ts";
import { Recorder } from "../measure/recorder.ts";
import { createEventSource } from "./events.ts";
import { type FirePlan, fire } from "./fire.ts";
import { Fate, Ledger } from "./ledger.ts";

const source = createEventSource({ runId: "bench-00", users: 0, payloadBytes: 0, seed: 1 });
const accept = (body: string) => {
  const { event_id } = JSON.parse(body) as { event_id: string };
  return `{"status":"accepted","event_id":"${event_id}"}`;
};

/** What the client does with a request; `handler` may be called at any later time. */
type OnSend = (slot: number, body: string, handler: AnswerHandler) => void;

const answerAtOnce: OnSend = (slot, body, handler) => {
  setImmediate(() => handler.onAnswer(slot, 202, accept(body)));
};

function start(plan: Partial<FirePlan>, onSend: OnSend, signal = new AbortController().signal) {
  const sends: { slot: number; body: string; at: number }[] = [];
  const abandoned: number[] = [];
  const ledger = new Ledger();
  const recorder = new Recorder(source, ledger, false);
  const startedAt = performance.now();
  const result = fire(
    {
      target: { url: new URL("http://host"), headers: {} },
      createClient: (_target, _slots, handler): Client => ({
        send(slot, body) {
          sends.push({ slot, body, at: performance.now() - startedAt });
          onSend(slot, body, handler);
        },
        abandon: (slot) => void abandoned.push(slot),
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
  return { result, recorder, ledger, sends, abandoned };
}

describe("closed loop", () => {
  test("sends each request once and keeps every connection busy", async () => {
    const { result, recorder, ledger, sends } = start({}, answerAtOnce);
    const { overdue } = await result;
    expect(overdue).toBe(0);
    expect(sends.map(({ body }) => body)).toEqual(Array.from({ length: 100 }, (_, n) => source.event(n)));
    expect([recorder.sent, recorder.answered, recorder.fates[Fate.Accepted]]).toEqual([100, 100, 100]);
    expect(ledger.size).toBe(100);
    for (const slot of [0, 1, 2, 3]) expect(sends.filter((send) => send.slot === slot)).toHaveLength(25);
  });

  test("has no more under way than connections, and fewer requests than those is fine", async () => {
    const { result, sends } = start({ requests: 2 }, answerAtOnce);
    await result;
    expect(sends).toHaveLength(2);
  });

  test("ends when the time is over, and waits for what is under way", async () => {
    const { result, recorder } = start({ requests: Infinity, durationMs: 50 }, (slot, body, handler) => {
      setTimeout(() => handler.onAnswer(slot, 202, accept(body)), 20);
    });
    const { elapsedMs } = await result;
    expect(elapsedMs).toBeGreaterThanOrEqual(50);
    expect(recorder.sent).toBe(recorder.answered);
    expect(recorder.failed).toBe(0);
  });

  test("gives up a request after the timeout and uses the connection again", async () => {
    let silent = true;
    const { result, recorder, abandoned } = start(
      { requests: 3, concurrency: 1, timeoutMs: 30 },
      (slot, body, handler) => {
        if (!silent) answerAtOnce(slot, body, handler);
        silent = false;
      },
    );
    await result;
    expect(abandoned).toEqual([0]);
    expect(recorder.failures).toEqual(new Map([["timeout", 1]]));
    expect(recorder.fates).toEqual([0, 1, 2, 0]);
  });

  test("a server that went away is asked ten times a second, not as often as it can refuse", async () => {
    const { result, recorder, sends } = start({ requests: Infinity, durationMs: 250 }, (slot, _, handler) => {
      setImmediate(() => handler.onFailure(slot, "connect_failed", "ECONNREFUSED"));
    });
    await result;
    expect(sends.length).toBeLessThanOrEqual(4 * 3);
    expect(recorder.fates[Fate.Unsent]).toBe(sends.length);
    expect(recorder.examples.get("connect_failed")).toBe("ECONNREFUSED");
  });

  test("a connection that broke is tried again at once", async () => {
    const { result, recorder } = start({ requests: 100 }, (slot, _, handler) => {
      setImmediate(() => handler.onFailure(slot, "connection_closed"));
    });
    await result;
    expect([recorder.sent, recorder.failed, recorder.fates[Fate.Unknown]]).toEqual([100, 100, 100]);
  });
});

describe("stopped by hand", () => {
  test("sends no more, and takes the answers that are still to come", async () => {
    const stop = new AbortController();
    const { result, recorder } = start(
      { requests: Infinity },
      (slot, body, handler) => {
        setTimeout(() => handler.onAnswer(slot, 202, accept(body)), 10);
        if (source.event(20) === body) stop.abort();
      },
      stop.signal,
    );
    await result;
    expect(recorder.sent).toBe(21);
    expect(recorder.answered).toBe(21);
  });

  test("before it began: nothing is sent", async () => {
    const { result, sends } = start({}, answerAtOnce, AbortSignal.abort());
    expect(await result).toMatchObject({ overdue: 0 });
    expect(sends).toEqual([]);
  });
});

describe("open loop", () => {
  test("sends at its rate, each request at its time or after, never before", async () => {
    const { result, sends } = start(
      { ratePerSecond: 200, durationMs: 200, requests: Infinity },
      answerAtOnce,
    );
    await result;
    expect(sends).toHaveLength(40);
    for (const [n, { at }] of sends.entries()) expect(at).toBeGreaterThanOrEqual(n * 5);
  });

  test("latency counts from the intended time: a stall is charged to all whom it kept waiting", async () => {
    // One connection, a request each 10 ms, and the first answer takes 100 ms: the nine behind it went out late.
    let first = true;
    const { result, recorder } = start(
      { ratePerSecond: 100, requests: 10, concurrency: 1 },
      (slot, body, handler) => {
        const answer = () => handler.onAnswer(slot, 202, accept(body));
        if (first) setTimeout(answer, 100);
        else setImmediate(answer);
        first = false;
      },
    );
    await result;
    const { latency, serviceTime } = recorder;
    expect([latency.totalCount, serviceTime.totalCount]).toEqual([10, 10]);
    // Intended at 0, 10, … 90 ms and answered from 100 ms on: at least 100, 90, … 10 ms.
    expect(latency.getValueAtPercentile(50)).toBeGreaterThanOrEqual(45_000);
    expect(latency.mean).toBeGreaterThan(serviceTime.mean + 30_000);
    expect(recorder.latestSendMs).toBeGreaterThanOrEqual(80);
  });

  test("what was due and found no connection is told", async () => {
    const { result, recorder } = start(
      { ratePerSecond: 1000, durationMs: 100, requests: Infinity, concurrency: 1 },
      (slot, body, handler) => void setTimeout(() => handler.onAnswer(slot, 202, accept(body)), 150),
    );
    const { overdue } = await result;
    expect(recorder.sent).toBe(1);
    expect(overdue).toBeGreaterThanOrEqual(90);
    expect(overdue).toBeLessThanOrEqual(99);
  });

  test("all connections get their share, however few would do", async () => {
    const { result, sends } = start({ ratePerSecond: 1000, requests: 40 }, answerAtOnce);
    await result;
    for (const slot of [0, 1, 2, 3]) expect(sends.filter((send) => send.slot === slot)).toHaveLength(10);
  });
});
