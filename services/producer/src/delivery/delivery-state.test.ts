import { describe, expect, test } from "bun:test";
import { DRAIN_MS, NEW, type State, type StateEvent, transition } from "./delivery-state.ts";

const after = (...events: StateEvent[]) => events.reduce(transition, NEW);

const started: StateEvent = { type: "started", hasBacklog: false };
const blocked: StateEvent = { type: "blocked" };
const refused: StateEvent = { type: "batch_refused", nowMs: 100 };
const reclaimed: StateEvent = { type: "reclaimed", nowMs: 100, pauseMs: 50 };
const drained: StateEvent = { type: "drained" };
const skipped: StateEvent = { type: "skipped" };
const idle: StateEvent = { type: "idle" };
const stopped: StateEvent = { type: "stopped" };
const caughtUp = (connected = true, canQuarantine = true): StateEvent => ({
  type: "caught_up",
  connected,
  canQuarantine,
});
const tick = (nowMs: number): StateEvent => ({ type: "tick", nowMs });

const direct = { name: "direct" } as State;
const sending = { name: "spooling", replay: "sending", resumeMs: 0, hasSkipped: false } as State;
const backingOff = { name: "spooling", replay: "backing_off", resumeMs: 150, hasSkipped: false } as State;
const draining = {
  name: "draining",
  deadlineMs: 100 + DRAIN_MS,
  isSpooling: false,
  hasSkipped: false,
} as State;
const drainingBehind = { ...draining, isSpooling: true } as State;
const resending = { name: "resending" } as State;

test.each<[string, StateEvent[], State]>([
  ["an empty journal: events go straight to the client", [started], direct],
  ["a backlog is sent first", [{ type: "started", hasBacklog: true }], sending],
  ["a client that takes nothing", [started, blocked], sending],
  ["everything was sent", [started, blocked, caughtUp()], direct],
  ["everything was sent, and no broker is connected", [started, blocked, caughtUp(false)], sending],
  ["a delivery failed", [started, reclaimed], backingOff],
  ["a delivery failed while spooling", [started, blocked, reclaimed], backingOff],
  ["a tick before the pause ends", [started, reclaimed, tick(149)], backingOff],
  ["a tick after the pause", [started, reclaimed, tick(150)], { ...sending, resumeMs: 150 } as State],
  ["caught up while backing off changes nothing", [started, reclaimed, caughtUp()], backingOff],
  ["a refused batch", [started, refused], draining],
  ["a refused batch while spooling", [started, blocked, refused], drainingBehind],
  ["too many events wait in memory", [started, refused, blocked], drainingBehind],
  ["a second refusal while draining", [started, refused, { ...refused, nowMs: 500 }], draining],
  ["every outcome is known", [started, refused, drained], resending],
  ["every outcome is known, and events wait in the journal", [started, refused, blocked, drained], sending],
  ["another refusal while events are sent again", [started, refused, drained, refused], draining],
  ["the client takes no more while events are sent again", [started, refused, drained, blocked], sending],
  ["a delivery fails while events are sent again", [started, refused, drained, reclaimed], backingOff],
  ["no broker is connected yet to send them", [started, refused, drained, caughtUp(false)], resending],
  ["every event in memory was sent again", [started, refused, drained, caughtUp()], direct],
  ["a stall while draining", [started, refused, reclaimed], backingOff],
  ["a record can't be quarantined", [started, skipped], { ...sending, hasSkipped: true } as State],
  [
    "skipped records are not forgotten while draining",
    [started, skipped, refused, drained],
    { ...sending, hasSkipped: true } as State,
  ],
  [
    "skipped records wait for the file",
    [started, skipped, caughtUp(true, false)],
    { ...sending, hasSkipped: true } as State,
  ],
  [
    "skipped records are returned to",
    [started, skipped, caughtUp()],
    { ...sending, replay: "rewinding", hasSkipped: true } as State,
  ],
  ["the rewind begins once nothing is in flight", [started, skipped, caughtUp(), idle], sending],
  [
    "a refusal before the rewind leaves it to be done",
    [started, skipped, caughtUp(), refused, drained],
    { ...sending, hasSkipped: true } as State,
  ],
  ["a reclaim rewinds anyway", [started, skipped, reclaimed], backingOff],
  [
    "an unreadable journal",
    [started, skipped, { type: "unreadable", nowMs: 150 }],
    { ...backingOff, hasSkipped: true } as State,
  ],
])("%s", (_, events, state) => {
  expect(after(...events)).toEqual(state);
});

describe("stopping is final", () => {
  test.each([[[]], [[started]], [[started, refused]], [[started, reclaimed]]] as StateEvent[][][])(
    "%j",
    (events) => {
      const state = after(...events, stopped);
      for (const event of [
        started,
        blocked,
        refused,
        drained,
        reclaimed,
        skipped,
        caughtUp(),
        idle,
        tick(1e9),
      ])
        expect(transition(state, event)).toEqual({ name: "stopping" });
    },
  );
});
