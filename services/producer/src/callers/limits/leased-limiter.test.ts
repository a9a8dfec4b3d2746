import { expect, test } from "bun:test";
import type { CallerLimits } from "../caller.ts";
import type { LeaseRequest } from "./lease.ts";
import { LeasedLimiters, LocalLimiters } from "./limiters.ts";
import { ManualClock, toLimits } from "./testing/limits.ts";

/** A parent, and workers whose messages to it arrive when `deliver` is called. */
function workersOf(count: number, limits: Partial<CallerLimits>) {
  const clock = new ManualClock(20_000 * 86_400_000);
  const parent = new LocalLimiters(undefined, clock);
  const asked: LeaseRequest[] = [];
  let isDown = false;
  const caller = { id: "shop", limits: toLimits(limits) };
  const source = {
    request: async (request: LeaseRequest) => {
      asked.push(request);
      return isDown ? undefined : parent.lend(request);
    },
    giveBack: (request: LeaseRequest) => void parent.lend(request),
  };
  const worker = () => new LeasedLimiters(source, clock).of(caller)!;
  const workers = Array.from({ length: count }, worker);
  return {
    clock,
    parent,
    asked,
    worker,
    workers,
    goDown: () => {
      isDown = true;
    },
  };
}

test("several workers let through together what one process would, however the requests are spread", async () => {
  const { clock, workers } = workersOf(4, { eventsPerSecond: 1_000, burstEvents: 500 });
  let taken = 0;
  for (let ms = 0; ms < 5_000; ms += 5) {
    for (let n = 0; n < 10; n++) taken += await workers[(ms + n * n) % 4]!.take(1 + (n % 3), 10);
    clock.advance(5);
  }
  expect(taken).toBeLessThanOrEqual(500 + 1_000 * 5);
  // What the other three hold unused: a tenth of a second each.
  expect(taken).toBeGreaterThanOrEqual(500 + 1_000 * 4.99 - 3 * 100);
});

test("most events are taken without the parent, and without a promise", async () => {
  const { clock, workers, asked } = workersOf(1, { eventsPerSecond: 10_000 });
  let waited = 0;
  for (let n = 0; n < 10_000; n++) {
    const passing = workers[0]!.take(1, 100);
    if (passing instanceof Promise) waited++;
    expect(await passing).toBe(1);
    clock.advance(0.1);
  }
  expect(waited).toBeLessThanOrEqual(11);
  expect(asked.length).toBe(waited);
});

test("requests that come while the parent is asked wait together, and in order", async () => {
  const { workers, asked } = workersOf(1, { eventsPerSecond: 5 });
  const results = await Promise.all(Array.from({ length: 8 }, () => workers[0]!.take(1, 10)));
  expect(results).toEqual([1, 1, 1, 1, 1, 0, 0, 0]);
  expect(asked.length).toBeLessThanOrEqual(2);
});

test("a flood of refused requests asks the parent a hundred times a second at most", async () => {
  const { clock, workers, asked } = workersOf(1, { eventsPerSecond: 1_000_000, burstEvents: 1 });
  const [worker] = workers;
  for (let n = 0; n < 100_000; n++) {
    await worker!.take(10, 10);
    clock.advance(0.01);
  }
  expect(asked.length).toBeLessThanOrEqual(101);
});

test("a worker that is restarted refills nothing", async () => {
  const { workers, worker } = workersOf(1, { eventsPerSecond: 100 });
  expect(await workers[0]!.take(60, 600)).toBe(60);
  // What the first one held, 10, is lost with it.
  expect(await worker().take(100, 1_000)).toBe(30);
  expect(await worker().take(1, 10)).toBe(0);
});

test("what a worker doesn't need goes back, and is there for the others", async () => {
  const limits = { eventsPerDay: 100_000 };
  const { clock, parent } = workersOf(0, limits);
  const source = {
    request: async (request: LeaseRequest) => parent.lend(request),
    giveBack: (request: LeaseRequest) => void parent.lend(request),
  };
  const worker = new LeasedLimiters(source, clock);
  expect(await worker.of({ id: "shop", limits: toLimits(limits) })!.take(1, 10)).toBe(1);
  expect([...parent.quotaUse()]).toEqual([{ caller: "shop", unit: "events", used: 11, max: 100_000 }]);
  worker.stop();
  expect([...parent.quotaUse()][0]!.used).toBe(1);
});

test("quotas are shared, and the refusal names the end of the day", async () => {
  const { workers } = workersOf(2, { eventsPerDay: 10 });
  expect(await workers[0]!.take(7, 70)).toBe(7);
  expect(await workers[1]!.take(7, 70)).toBe(3);
  const blocked = workers[1]!.blocked(4, 40);
  expect(blocked).toEqual({ limit: "events_per_day", waitMs: 86_400_000 });
  expect(workers[1]!.check(false, 10)).toEqual(blocked);
});

test("a worker asks again when the day changes, and not before", async () => {
  const { workers, clock, asked } = workersOf(1, { eventsPerDay: 10 });
  expect(await workers[0]!.take(12, 120)).toBe(10);
  clock.advance(86_400_000 - 1);
  expect(workers[0]!.take(2, 20)).toBe(0);
  expect(asked).toHaveLength(1);
  clock.advance(1);
  expect(workers[0]!.check(false, 10)).toBeUndefined();
  expect(await workers[0]!.take(2, 20)).toBe(2);
});

test("an event larger than the burst of bytes passes", async () => {
  const { workers, clock } = workersOf(2, { bytesPerSecond: 1_000, burstBytes: 100 });
  expect(await workers[0]!.take(1, 5_000)).toBe(1);
  expect(await workers[1]!.take(1, 10)).toBe(0);
  clock.advance(5_000);
  expect(await workers[1]!.take(1, 10)).toBe(1);
});

test("without the parent nothing passes beyond what is held, and the request is told to come again", async () => {
  const { workers, goDown } = workersOf(1, { eventsPerSecond: 100 });
  expect(await workers[0]!.take(1, 10)).toBe(1);
  goDown();
  expect(await workers[0]!.take(50, 500)).toBe(0);
  expect(workers[0]!.refuse(workers[0]!.blocked(50, 500), 50).more.retryAfterSeconds).toBe(1);
});

test("the fields count what is held with what the parent has", async () => {
  const { workers } = workersOf(1, { eventsPerSecond: 100 });
  await workers[0]!.take(1, 10);
  expect(workers[0]!.lines()).toContain('RateLimit: "events_per_second";r=99;t=1\r\n');
});
