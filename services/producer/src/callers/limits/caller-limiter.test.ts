import { describe, expect, test } from "bun:test";
import type { CallerLimits } from "../caller.ts";
import { CallerLimiter } from "./caller-limiter.ts";
import { ManualClock, toLimits } from "./testing/limits.ts";
import { DailyUsage } from "./usage.ts";

/** 20 hours into a day. */
const EVENING_MS = 20_000 * 86_400_000 + 20 * 3_600_000;

function limiter(limits: Partial<CallerLimits>) {
  const clock = new ManualClock(EVENING_MS);
  const daily = new DailyUsage(clock.unixMs());
  return { clock, daily, limiter: new CallerLimiter("shop", toLimits(limits), daily, clock) };
}

/** Takes one event after another until one is refused. */
function takeAll({ limiter }: { limiter: CallerLimiter }, bytes = 1): number {
  let taken = 0;
  while (taken < 100_000 && limiter.take(1, bytes) === 1) taken++;
  return taken;
}

describe("rates", () => {
  test("never let through more than the rate and the burst, however requests are spread", () => {
    const at = limiter({ eventsPerSecond: 100, burstEvents: 30 });
    let taken = takeAll(at);
    for (let ms = 0; ms < 10_000; ms += 7) {
      at.clock.advance(7);
      taken += at.limiter.take(ms % 3, 10);
    }
    expect(taken).toBeLessThanOrEqual(30 + 100 * 10.003);
    expect(taken).toBeGreaterThan(100 * 10);
  });

  test("the burst is a second's worth by default", () => {
    expect(takeAll(limiter({ eventsPerSecond: 7 }))).toBe(7);
    expect(takeAll(limiter({ bytesPerSecond: 1_000 }), 100)).toBe(10);
  });

  test("the first events of a batch pass, as many as there are tokens", () => {
    const at = limiter({ eventsPerSecond: 10 });
    expect(at.limiter.take(25, 2_500)).toBe(10);
    expect(at.limiter.take(15, 1_500)).toBe(0);
    const { limit, waitMs } = at.limiter.blocked(15, 1_500);
    expect(limit).toBe("events_per_second");
    at.clock.advance(waitMs);
    expect(at.limiter.take(15, 1_500)).toBe(10);
  });

  test("bytes of a batch are shared evenly among its events", () => {
    const at = limiter({ bytesPerSecond: 1_000 });
    expect(at.limiter.take(8, 2_000)).toBe(4);
    expect(at.limiter.take(4, 1_000)).toBe(0);
  });

  test("an event larger than the burst of bytes passes when the bucket is full, and is paid for afterwards", () => {
    const at = limiter({ bytesPerSecond: 1_000, burstBytes: 100 });
    expect(at.limiter.take(1, 5_000)).toBe(1);
    expect(at.limiter.take(1, 1)).toBe(0);
    expect(at.limiter.blocked(1, 5_000).waitMs).toBeCloseTo(5_000, 1);
    at.clock.advance(4_900);
    expect(at.limiter.take(1, 5_000)).toBe(0);
    at.clock.advance(100);
    expect(at.limiter.take(1, 5_000)).toBe(1);
  });

  test("what is refused by one limit takes nothing of the others", () => {
    const at = limiter({ eventsPerSecond: 10, bytesPerSecond: 100 });
    expect(at.limiter.take(1, 100)).toBe(1);
    for (let n = 0; n < 50; n++) expect(at.limiter.take(1, 100)).toBe(0);
    at.clock.advance(1_000);
    expect(at.limiter.take(10, 100)).toBe(10);
  });

  test("the wait that a refusal names is enough, in whole seconds", () => {
    for (const rate of [1, 3, 7, 60]) {
      const at = limiter({ eventsPerSecond: rate, burstEvents: 3 * rate });
      takeAll(at);
      const rejection = at.limiter.refuse(at.limiter.blocked(rate, 10), rate);
      expect(rejection).toMatchObject({ code: "rate_limited", more: { retryAfterSeconds: 1 } });
      at.clock.advance(1_000);
      expect(at.limiter.take(rate, 10)).toBe(rate);
    }
  });

  test("tokens that are given back can be taken again", () => {
    const at = limiter({ eventsPerSecond: 10, bytesPerSecond: 1_000, eventsPerDay: 10 });
    expect(at.limiter.take(10, 1_000)).toBe(10);
    at.limiter.giveBack(4, 400);
    expect(at.limiter.take(10, 1_000)).toBe(4);
  });

  test("a reload keeps what is in the buckets", () => {
    const at = limiter({ eventsPerSecond: 10 });
    takeAll(at);
    at.limiter.adjust(toLimits({ eventsPerSecond: 1_000 }));
    expect(takeAll(at)).toBe(0);
    at.clock.advance(10);
    expect(takeAll(at)).toBe(10);
  });

  test("a limit that a reload adds has a full bucket", () => {
    const at = limiter({ eventsPerSecond: 10 });
    at.limiter.adjust(toLimits({ bytesPerSecond: 50 }));
    expect(takeAll(at, 10)).toBe(5);
  });
});

describe("before the body", () => {
  test("a request passes while one event would", () => {
    const at = limiter({ eventsPerSecond: 2 });
    expect(at.limiter.check(false, 100)).toBeUndefined();
    expect(at.limiter.check(true, 1_000_000)).toBeUndefined();
    takeAll(at);
    expect(at.limiter.check(false, 100)).toMatchObject({
      limit: "events_per_second",
      waitMs: expect.closeTo(500, 1),
    });
  });

  test("a batch is told to wait for a second's worth of events", () => {
    const at = limiter({ eventsPerSecond: 10, burstEvents: 1_000 });
    takeAll(at);
    expect(at.limiter.check(true, 100)?.waitMs).toBeCloseTo(1_000, 1);
  });

  test("a body without a length is refused while bytes are owed", () => {
    const at = limiter({ bytesPerSecond: 10 });
    at.limiter.take(1, 100);
    expect(at.limiter.check(false, 0)).toMatchObject({ limit: "bytes_per_second" });
  });
});

describe("quotas", () => {
  test("end with the day of UTC, and begin anew", () => {
    const at = limiter({ eventsPerDay: 5 });
    expect(at.limiter.take(8, 80)).toBe(5);
    const blocked = at.limiter.blocked(3, 30);
    expect(blocked).toEqual({ limit: "events_per_day", waitMs: 4 * 3_600_000 });
    expect(at.limiter.refuse(blocked, 3)).toMatchObject({
      code: "quota_exceeded",
      detail: "Caller shop may send 5 events a day (UTC): send it again in 14400 s.",
      more: { retryAfterSeconds: 14_400 },
    });
    at.clock.advance(blocked.waitMs - 1);
    expect(at.limiter.take(3, 30)).toBe(0);
    at.clock.advance(1);
    expect(at.limiter.take(3, 30)).toBe(3);
  });

  test("of bytes count the whole body, and an event larger than the quota passes on an unused day", () => {
    const at = limiter({ bytesPerDay: 1_000 });
    expect(at.limiter.take(2, 999)).toBe(2);
    expect(at.limiter.take(1, 2)).toBe(0);
    expect(at.limiter.blocked(1, 2).limit).toBe("bytes_per_day");
    at.clock.advance(86_400_000);
    expect(at.limiter.take(1, 2_000)).toBe(1);
    expect(at.limiter.take(1, 1)).toBe(0);
  });

  test("the longest wait of all limits is named", () => {
    const at = limiter({ eventsPerSecond: 5, eventsPerDay: 5 });
    takeAll(at);
    expect(at.limiter.blocked(1, 1).limit).toBe("events_per_day");
  });

  test("tokens given back after the day has changed are not given twice", () => {
    const at = limiter({ eventsPerDay: 5 });
    takeAll(at);
    at.clock.advance(5 * 3_600_000);
    expect(at.limiter.take(1, 1)).toBe(1);
    at.limiter.giveBack(5, 5);
    expect(takeAll(at)).toBe(5);
  });
});

describe("fields", () => {
  test("name each limit, what is left, and for how long", () => {
    const at = limiter({ eventsPerSecond: 100, burstEvents: 250, bytesPerSecond: 1_000, eventsPerDay: 500 });
    at.limiter.take(50, 300);
    expect(at.limiter.lines()).toBe(
      'RateLimit-Policy: "events_per_second";q=300;w=3, "bytes_per_second";q=1000;qu="content-bytes";w=1, "events_per_day";q=500;w=86400\r\n' +
        'RateLimit: "events_per_second";r=200;t=2, "bytes_per_second";r=700;t=1, "events_per_day";r=450;t=14400\r\n',
    );
  });

  test("of an empty bucket name the wait for its next token, and no negative number", () => {
    const at = limiter({ eventsPerSecond: 1, burstEvents: 5, bytesPerSecond: 10 });
    expect(at.limiter.take(1, 100)).toBe(1);
    expect(at.limiter.lines()).toContain('"bytes_per_second";r=0;t=10');
  });
});

test("refusals are counted by limit", () => {
  const at = limiter({ eventsPerSecond: 1 });
  at.limiter.take(10, 10);
  at.limiter.refuse(at.limiter.blocked(9, 9), 9);
  at.limiter.refuse(at.limiter.blocked(1, 1), 1);
  expect(at.limiter.refusals).toEqual({ events_per_second: { requests: 2, events: 10 } });
});
