import { expect, test } from "bun:test";
import { type ClientState, Watchdog } from "./watchdog.ts";

const quiet: ClientState = { connected: true, inFlight: 0, oldestTicket: 5, hasBacklog: false };
const busy: ClientState = { ...quiet, inFlight: 3 };

test("unavailable: after a second without a broker", () => {
  const watchdog = new Watchdog(1_000_000);
  const disconnected = { ...quiet, connected: false };
  expect([0, 999, 1_000].map((now) => watchdog.check(now, disconnected).isUnavailable)).toEqual([
    false,
    false,
    true,
  ]);
  expect(watchdog.check(1_100, quiet).isUnavailable).toBe(false);
  expect(watchdog.check(2_000, disconnected).isUnavailable).toBe(false);
});

test("stalled: the same oldest event for the whole time, or a backlog that is never sent", () => {
  for (const stuck of [busy, { ...quiet, hasBacklog: true }]) {
    const watchdog = new Watchdog(100);
    expect(watchdog.check(0, stuck)).toEqual({ isUnavailable: false });
    expect(watchdog.check(99, stuck)).toEqual({ isUnavailable: false });
    expect(watchdog.check(100, stuck)).toEqual({ isUnavailable: false, stalledMs: 100 });
  }
});

test("idle is not stalled, and neither is an event that has just become the oldest", () => {
  const watchdog = new Watchdog(100);
  for (let now = 0; now < 1_000; now += 90) expect(watchdog.check(now, quiet).stalledMs).toBeUndefined();
  for (let now = 1_000; now < 2_000; now += 90)
    expect(watchdog.check(now, { ...busy, oldestTicket: now }).stalledMs).toBeUndefined();
});

test("after a reset the tickets of a former client are forgotten", () => {
  const watchdog = new Watchdog(100);
  watchdog.check(0, busy);
  expect(watchdog.check(100, busy).stalledMs).toBe(100);
  watchdog.reset();
  // Not longer than this: the client would give up single events before all are reclaimed together.
  watchdog.check(200, { ...busy, oldestTicket: 0 });
  expect(watchdog.check(299, { ...busy, oldestTicket: 0 }).stalledMs).toBeUndefined();
  expect(watchdog.check(300, { ...busy, oldestTicket: 0 }).stalledMs).toBe(100);
});
