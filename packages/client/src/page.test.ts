// A page that is hidden or left, and comes back online.
import { expect, test } from "bun:test";
import { createClientOn } from "./client.ts";
import { FakePage, FakePlatform, respondWith, respondWithResults } from "./client-fixture.ts";
import type { ClientOptions } from "./types.ts";

const KIB = 1024;

function createInPage(options: Partial<ClientOptions> = {}) {
  const platform = new FakePlatform();
  const page = new FakePage();
  platform.page = page;
  const client = createClientOn(platform, { url: "http://producer", lingerMs: 60_000, ...options });
  const track = (eventId: string, bytes = 0) => client.track("t", { x: "x".repeat(bytes) }, { eventId });
  return { client, platform, page, clock: platform.clock, track };
}

test("what a page has is sent at once when it is hidden, and outlives it", async () => {
  const { client, platform, page, clock, track } = createInPage();
  track("a");
  track("b");
  page.hide();
  // In the turn of the event: a page that is left has no other.
  expect(platform.sentIds).toEqual([["a", "b"]]);
  expect(platform.requests[0]!.keepalive).toBe(true);
  page.hide();
  await clock.advance(100_000);
  expect(platform.requests).toHaveLength(1);
  expect(client.stats()).toMatchObject({ delivered: 2, queuedEvents: 0 });
});

test("a batch that is being compressed is sent as it is, once", async () => {
  const { client, platform, page, clock, track } = createInPage({ lingerMs: 0, compressAboveBytes: 1 });
  const compressed = Promise.withResolvers<ArrayBuffer>();
  platform.gzip = () => compressed.promise;
  track("a");
  await clock.advance(0);
  expect(platform.requests).toEqual([]);
  page.hide();
  expect(platform.sentIds).toEqual([["a"]]);
  compressed.resolve(new ArrayBuffer(1));
  await clock.advance(100_000);
  expect(platform.requests).toHaveLength(1);
  expect(client.stats()).toMatchObject({ delivered: 1 });
});

test("requests that outlive the page share 64 KiB, those of all clients together", async () => {
  const first = createInPage({ maxBatchEvents: 1 });
  const second = createInPage();
  const response = Promise.withResolvers<void>();
  first.platform.respond = async (request) => {
    await response.promise;
    return respondWithResults(request);
  };
  for (const id of ["a", "b", "c"]) first.track(id, 25 * KIB);
  first.page.hide();
  second.track("d", 25 * KIB);
  second.track("e", 10);
  second.page.hide();
  expect(first.platform.sentIds).toEqual([["a"], ["b"]]);
  // There is no room for "d". "e" may not overtake it.
  expect(second.platform.sentIds).toEqual([]);
  response.resolve();
  await first.clock.advance(0);
  second.page.hide();
  expect(second.platform.sentIds).toEqual([["d", "e"]]);
  await first.clock.advance(100_000);
  await second.clock.advance(100_000);
  expect(first.platform.sentIds).toEqual([["a"], ["b"], ["c"]]);
});

test("an ordinary request outlives its page where it is small; after a failure, and where it is large, it takes no room", async () => {
  const { platform, clock, track } = createInPage({ lingerMs: 0 });
  platform.script.push(() => respondWith(503));
  track("a");
  await clock.advance(100_000);
  track("b", 70 * KIB);
  await clock.advance(100_000);
  expect(platform.requests.map(({ keepalive }) => keepalive === true)).toEqual([true, false, false]);
});

test("Retry-After holds for a page that is hidden; a pause after a network error does not", async () => {
  const { platform, page, clock, track } = createInPage({ lingerMs: 0, backoffMs: 10_000 });
  platform.script.push(
    () => respondWith(429, "", { "retry-after": "5" }),
    () => Promise.reject(new TypeError()),
  );
  track("a");
  await clock.advance(1_000);
  page.hide();
  await clock.advance(1_000);
  expect(platform.requests).toHaveLength(1);
  await clock.advance(13_000);
  expect(platform.requests).toHaveLength(2);
  page.hide();
  expect(platform.requests).toHaveLength(3);
  await clock.advance(0);
});

test("a page that comes back online sends at once, unless Retry-After holds", async () => {
  const { platform, page, clock, track } = createInPage({ lingerMs: 0, backoffMs: 10_000 });
  platform.script.push(() => Promise.reject(new TypeError()));
  track("a");
  await clock.advance(1_000);
  page.goOnline();
  await clock.advance(0);
  expect(platform.requests).toHaveLength(2);
});

test("by option a beacon, with the key in its URL; events whose page is still there are sent again later", async () => {
  const { client, platform, page, clock, track } = createInPage({
    onPageHide: "beacon",
    key: "write",
    durability: "durable",
    lingerMs: 0,
    requestTimeoutMs: 5_000,
  });
  track("a");
  page.hide();
  expect(platform.requests).toEqual([]);
  expect(page.beacons).toMatchObject([
    {
      url: "http://producer/register_events?durability=durable&write_key=write",
      events: [{ event_id: "a" }],
    },
  ]);
  await clock.advance(4_999);
  expect(platform.requests).toEqual([]);
  await clock.advance(1);
  expect(platform.sentIds).toEqual([["a"]]);
  expect(client.stats()).toMatchObject({ delivered: 1 });
});

test("a browser without keepalive gets a beacon, unless a key would go into the URL", async () => {
  const open = createInPage();
  open.page.hasKeepalive = false;
  open.track("a");
  open.page.hide();
  expect(open.page.beacons).toMatchObject([{ url: "http://producer/register_events" }]);
  const withKey = createInPage({ key: "secret" });
  withKey.page.hasKeepalive = false;
  withKey.track("a");
  withKey.page.hide();
  expect(withKey.page.beacons).toEqual([]);
  expect(withKey.platform.sentIds).toEqual([["a"]]);
  expect(withKey.platform.requests[0]!.keepalive).toBeUndefined();
  await withKey.clock.advance(0);
  await open.clock.advance(100_000);
});

test("a closed client no longer listens to its page", async () => {
  const { client, page } = createInPage();
  expect(page.isObserved).toBe(true);
  await client.close();
  expect(page.isObserved).toBe(false);
});
