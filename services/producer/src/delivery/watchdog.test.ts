import { expect, test } from "bun:test";
import { type Observation, Watchdog } from "./watchdog.ts";

const quiet: Observation = { connected: true, inFlight: 0, oldestTicket: 5, isWaiting: false };
const busy: Observation = { ...quiet, inFlight: 3 };

test("away: after a second without a broker", () => {
  const watchdog = new Watchdog(1_000_000);
  const away = { ...quiet, connected: false };
  expect([0, 999, 1_000].map((now) => watchdog.look(now, away).isAway)).toEqual([false, false, true]);
  expect(watchdog.look(1_100, quiet).isAway).toBe(false);
  expect(watchdog.look(2_000, away).isAway).toBe(false);
});

test("stalled: the same oldest event for the whole time, or something that is never taken", () => {
  for (const stuck of [busy, { ...quiet, isWaiting: true }]) {
    const watchdog = new Watchdog(100);
    expect(watchdog.look(0, stuck)).toEqual({ isAway: false });
    expect(watchdog.look(99, stuck)).toEqual({ isAway: false });
    expect(watchdog.look(100, stuck)).toEqual({ isAway: false, stalledMs: 100 });
  }
});

test("idle is not stalled, and neither is an event that has only now become the oldest", () => {
  const watchdog = new Watchdog(100);
  for (let now = 0; now < 1_000; now += 90) expect(watchdog.look(now, quiet).stalledMs).toBeUndefined();
  for (let now = 1_000; now < 2_000; now += 90)
    expect(watchdog.look(now, { ...busy, oldestTicket: now }).stalledMs).toBeUndefined();
});

test("what a former client held is forgotten: its tickets begin anew", () => {
  const watchdog = new Watchdog(100);
  watchdog.look(0, busy);
  expect(watchdog.look(100, busy).stalledMs).toBe(100);
  watchdog.reset();
  // Never longer than this: the client itself would give up on single events before they are taken back as a whole.
  watchdog.look(200, { ...busy, oldestTicket: 0 });
  expect(watchdog.look(299, { ...busy, oldestTicket: 0 }).stalledMs).toBeUndefined();
  expect(watchdog.look(300, { ...busy, oldestTicket: 0 }).stalledMs).toBe(100);
});
