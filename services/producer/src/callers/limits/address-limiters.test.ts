import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { serveTestApp } from "../../testing/serve.ts";
import { AddressLimiters } from "./address-limiters.ts";
import { CallerLimiter } from "./caller-limiter.ts";
import { networkOf } from "./network.ts";
import { ManualClock, toLimits } from "./testing/limits.ts";
import { DailyUsage } from "./usage.ts";

const clock = new ManualClock();

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:DB8:0001:2::9", "2001:db8:1:2::/64"],
  ["2001:db8::9", "2001:db8:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["64:ff9b::192.0.2.1", "64:ff9b:0:0::/64"],
])("%s counts as %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test("each address has a bucket of its own; those of one /64 share one", () => {
  const table = new AddressLimiters(toLimits({ eventsPerSecond: 1 }), undefined, clock);
  expect(table.of("192.0.2.1").take(1, 10)).toBe(1);
  expect(table.of("192.0.2.1").take(1, 10)).toBe(0);
  expect(table.of("192.0.2.2").take(1, 10)).toBe(1);
  expect(table.of("2001:db8::1").take(1, 10)).toBe(1);
  expect(table.of("2001:db8::2").take(1, 10)).toBe(0);
});

test("a million addresses leave the table small, and an address in use keeps its bucket", () => {
  const table = new AddressLimiters(toLimits({ eventsPerSecond: 1 }), undefined, clock);
  table.of("192.0.2.1").take(1, 10);
  for (let n = 0; n < 1_000_000; n++) {
    table.of(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`).take(1, 10);
    if (n % 4_000 === 0) expect(table.of("192.0.2.1").take(1, 10)).toBe(0);
  }
  expect(table.size).toBeLessThanOrEqual(16_384);
});

test("what all share is limited too, and costs the address nothing when it refuses", () => {
  const shared = new CallerLimiter("anonymous", toLimits({ eventsPerSecond: 3 }), new DailyUsage(0), clock);
  const table = new AddressLimiters(toLimits({ eventsPerSecond: 2 }), shared, clock);
  expect(table.of("192.0.2.1").take(5, 50)).toBe(2);
  expect(table.of("192.0.2.2").take(5, 50)).toBe(1);
  const second = table.of("192.0.2.2");
  expect(second.blocked(4, 40).limit).toBe("events_per_second");
  expect(second.lines()).toContain('"address_events_per_second";r=1;t=1');
  expect(second.lines()).toContain('"events_per_second";r=0;t=1');
});

test("a reload keeps the buckets", () => {
  const table = new AddressLimiters(toLimits({ eventsPerSecond: 1 }), undefined, clock);
  table.of("192.0.2.1").take(1, 10);
  table.adjust(toLimits({ eventsPerSecond: 100 }), undefined);
  expect(table.of("192.0.2.1").take(1, 10)).toBe(0);
});

test("over a socket, the address is the one that trusted proxies forward, and callers with a key are not limited by it", async () => {
  const keys = [{ sha256: createHash("sha256").update("secret").digest("hex") }];
  await using app = serveTestApp({
    clock,
    edge: { TRUSTED_PROXIES: ["loopback"] },
    callers: { callers: [{ id: "shop", keys }], anonymous: { limits_per_address: { events_per_second: 1 } } },
  });
  const send = async (headers: Record<string, string>) => {
    const response = await fetch(`${app.url}/register_event`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: '{"event_type":"a"}',
    });
    return [response.status, response.headers.get("ratelimit")] as const;
  };
  const from = (address: string) => send({ "x-forwarded-for": address });
  expect(await from("192.0.2.1")).toEqual([202, '"address_events_per_second";r=0;t=1']);
  expect(await from("192.0.2.1")).toEqual([429, '"address_events_per_second";r=0;t=1']);
  expect((await from("203.0.113.9, 192.0.2.1"))[0]).toBe(429);
  expect((await from("192.0.2.2"))[0]).toBe(202);
  expect((await send({}))[0]).toBe(202);
  expect((await send({}))[0]).toBe(429);
  expect(await send({ "x-api-key": "secret" })).toEqual([202, null]);
});
