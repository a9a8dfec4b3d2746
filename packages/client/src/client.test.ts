import { describe, expect, test } from "bun:test";
import { createClientOn } from "./client.ts";
import { FakePlatform, respondWith, respondWithResults, settled } from "./client-fixture.ts";
import type { ClientOptions, DropReason, EventResult, StopReason } from "./types.ts";

/** A client whose events have the ids that a test gives them, and what it reported. */
function create(options: Partial<ClientOptions> = {}, platform = new FakePlatform()) {
  const delivered: EventResult[] = [];
  const invalid: EventResult[] = [];
  const dropped: [id: string | undefined, reason: DropReason][] = [];
  const stops: StopReason[] = [];
  const client = createClientOn(platform, {
    url: "http://producer/base/",
    lingerMs: 100,
    compressAboveBytes: Number.POSITIVE_INFINITY,
    onDelivered: (_event, result) => void delivered.push(result),
    onInvalid: (_event, result) => void invalid.push(result),
    onDropped: (event, reason) => void dropped.push([event.event_id, reason]),
    onStopped: (reason) => void stops.push(reason),
    ...options,
  });
  const track = (...ids: string[]) => ids.map((eventId) => client.track("t", {}, { eventId }).status);
  return { client, platform, clock: platform.clock, track, delivered, invalid, dropped, stops };
}

describe("an event", () => {
  test("has a type, an id, a user, a time and a payload, and is posted to the batch route", async () => {
    const { client, platform, clock } = create({ key: "secret", durability: "stored" });
    const result = client.track("page_view", { path: "/" }, { userId: "u", schemaVersion: 2 });
    client.track("old", undefined, { timestamp: new Date(0), eventId: "mine" });
    await clock.advance(100);
    expect(platform.requests).toMatchObject([
      {
        url: "http://producer/base/register_events",
        method: "POST",
        headers: {
          "content-type": "application/json",
          authorization: "Bearer secret",
          prefer: "durability=stored",
        },
        events: [
          {
            event_type: "page_view",
            event_id: result.eventId,
            user_id: "u",
            timestamp: 1_700_000_000_000,
            payload: { path: "/" },
            schema_version: 2,
          },
          { event_type: "old", event_id: "mine", timestamp: "1970-01-01T00:00:00.000Z" },
        ],
      },
    ]);
    expect(client.stats()).toMatchObject({ delivered: 2, queuedEvents: 0, queuedBytes: 0, requests: 1 });
  });

  test("that can't be written as JSON, or is larger than the queue, is rejected with the reason", () => {
    const { client } = create({ maxQueueBytes: 200 });
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    expect(client.track("t", circular)).toMatchObject({ status: "rejected", reason: "not_json" });
    expect(client.track("t", { n: 1n })).toMatchObject({ status: "rejected", reason: "not_json" });
    expect(client.track("t", { text: "é".repeat(100) })).toMatchObject({ reason: "too_large" });
    expect(client.stats()).toMatchObject({ rejected: 3, queuedEvents: 0 });
  });
});

describe("batches", () => {
  test("a batch waits lingerMs for more events, and no longer than until it is full", async () => {
    const { platform, clock, track } = create({ maxBatchEvents: 3 });
    track("a");
    await clock.advance(99);
    expect(platform.sentIds).toEqual([]);
    await clock.advance(1);
    expect(platform.sentIds).toEqual([["a"]]);
    track("b", "c", "d", "e");
    await clock.advance(0);
    expect(platform.sentIds.slice(1)).toEqual([["b", "c", "d"]]);
    await clock.advance(100);
    expect(platform.sentIds.slice(2)).toEqual([["e"]]);
  });

  test("a batch is bounded in bytes; a larger event goes by itself", async () => {
    const { client, platform, clock } = create({ maxBatchBytes: 400 });
    const sizes = [10, 10, 600, 10];
    for (const [i, size] of sizes.entries()) client.track("t", { x: "x".repeat(size) }, { eventId: `${i}` });
    await clock.advance(1_000);
    expect(platform.sentIds).toEqual([["0", "1"], ["2"], ["3"]]);
    const small = [platform.requests[0]!, platform.requests[2]!];
    for (const { body } of small) expect((body as string).length).toBeLessThanOrEqual(400);
  });

  test("one batch is in flight at a time, so the events of a user stay in order", async () => {
    const { platform, clock, track } = create({ maxBatchEvents: 2 });
    const response = Promise.withResolvers<void>();
    platform.script.push(async (request) => {
      await response.promise;
      return respondWithResults(request);
    });
    track("a", "b", "c", "d", "e");
    await clock.advance(10_000);
    expect(platform.sentIds).toEqual([["a", "b"]]);
    response.resolve();
    await clock.advance(100);
    expect(platform.sentIds).toEqual([["a", "b"], ["c", "d"], ["e"]]);
  });

  test("a large body is compressed; where compression fails it is sent as it is", async () => {
    const platform = new FakePlatform();
    platform.gzip = async (text) => new TextEncoder().encode(`gzip of ${text.length}`).buffer as ArrayBuffer;
    const { client, clock } = create({ compressAboveBytes: 500 }, platform);
    platform.script.push(() => respondWith(202, { results: [{ index: 0, status: "accepted" }] }));
    client.track("t", { x: "x".repeat(500) });
    await clock.advance(100);
    expect(platform.requests[0]!.headers["content-encoding"]).toBe("gzip");
    expect(platform.requests[0]!.body).toBeInstanceOf(ArrayBuffer);
    client.track("t", {});
    await clock.advance(100);
    expect(platform.requests[1]!.headers["content-encoding"]).toBeUndefined();
    platform.gzip = () => Promise.reject(new Error("no compression"));
    client.track("t", { x: "x".repeat(500) });
    await clock.advance(100);
    expect(platform.requests[2]!.headers["content-encoding"]).toBeUndefined();
    expect(client.stats()).toMatchObject({ delivered: 3 });
  });
});

describe("a queue at its bound", () => {
  test("rejects the new event", async () => {
    const { client, platform, clock, track, dropped } = create({ maxQueueEvents: 2 });
    expect(track("a", "b", "c")).toEqual(["queued", "queued", "rejected"]);
    expect(client.track("t")).toMatchObject({ status: "rejected", reason: "queue_full" });
    await clock.advance(100);
    expect(platform.sentIds).toEqual([["a", "b"]]);
    expect(client.stats()).toMatchObject({ rejected: 2, dropped: 0 });
    expect(dropped).toEqual([]);
  });

  test("drops the oldest by option, and reports it; one in flight is not dropped", async () => {
    const { client, platform, clock, track, dropped } = create({
      maxQueueEvents: 3,
      maxBatchEvents: 1,
      whenFull: "drop_oldest",
    });
    const response = Promise.withResolvers<void>();
    platform.script.push(async (request) => {
      await response.promise;
      return respondWithResults(request);
    });
    track("a");
    await clock.advance(0);
    expect(track("b", "c", "d", "e")).toEqual(["queued", "queued", "queued", "queued"]);
    expect(dropped).toEqual([
      ["b", "queue_full"],
      ["c", "queue_full"],
    ]);
    response.resolve();
    await clock.advance(100);
    expect(platform.sentIds).toEqual([["a"], ["d"], ["e"]]);
    expect(client.stats()).toMatchObject({ delivered: 3, dropped: 2, queuedEvents: 0, queuedBytes: 0 });
  });

  test("is bounded in bytes too", () => {
    const { client } = create({ maxQueueBytes: 300 });
    const x = "x".repeat(50);
    expect([1, 2, 3].map(() => client.track("t", { x }).status)).toEqual(["queued", "rejected", "rejected"]);
  });
});

describe("sending again", () => {
  test.each([408, 425, 429, 500, 502, 503, 504])("after %i, with the same ids", async (status) => {
    const { client, platform, clock, track } = create();
    platform.script.push(() => respondWith(status));
    track("a", "b");
    await clock.advance(10_000);
    expect(platform.sentIds).toEqual([
      ["a", "b"],
      ["a", "b"],
    ]);
    expect(client.stats()).toMatchObject({ delivered: 2, retries: 1 });
  });

  test("after a network error, a timeout, a cut body, and a success that is not the producer's", async () => {
    const { client, platform, clock, track } = create({ requestTimeoutMs: 5_000 });
    platform.script.push(
      () => Promise.reject(new TypeError("fetch failed")),
      ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
      () => ({
        ...respondWith(202),
        status: 202,
        headers: new Headers(),
        text: () => Promise.reject(new Error()),
      }),
      () => respondWith(200, "<!doctype html><title>Sign in</title>"),
      () => respondWith(202, { results: [] }),
      () => respondWith(202, "null"),
      () => respondWith(202, { results: [null] }),
    );
    track("a");
    await clock.advance(200_000);
    expect(platform.sentIds).toEqual(Array.from({ length: 8 }, () => ["a"]));
    expect(client.stats()).toMatchObject({ delivered: 1, retries: 7 });
  });

  test("pauses grow exponentially up to the limit, with full jitter", async () => {
    const { platform, clock, track } = create({ backoffMs: 100, maxBackoffMs: 1_000 });
    platform.respond = () => respondWith(503);
    track("a");
    await clock.advance(6_000);
    const times = platform.requests.map(({ atMs }) => atMs);
    const pauses = times.slice(1).map((time, i) => time - times[i]!);
    expect(pauses.slice(0, 6)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
    platform.random = () => 0.25;
    const before = platform.requests.length;
    await clock.advance(5_000);
    const later = platform.requests.slice(before + 1).map(({ atMs }) => atMs);
    expect(later[1]! - later[0]!).toBe(250);
  });

  test.each([
    ["seconds", "7"],
    ["a date", new Date(1_700_000_000_000 + 7_000).toUTCString()],
  ])("waits for Retry-After in %s, and jitter beside", async (_, value) => {
    const { platform, clock, track } = create({ backoffMs: 100, lingerMs: 0 });
    platform.script.push(() => respondWith(429, "", { "retry-after": value }));
    track("a");
    await clock.advance(7_099);
    expect(platform.requests).toHaveLength(1);
    await clock.advance(1);
    expect(platform.requests).toHaveLength(2);
  });

  test("waits for the longest retry_after_seconds of the results", async () => {
    const { platform, clock, track } = create({ backoffMs: 0, lingerMs: 0 });
    platform.script.push((request) =>
      respondWithResults(request, (_, i) => ({ status: "retry", retry_after_seconds: i + 1 })),
    );
    track("a", "b");
    await clock.advance(1_999);
    expect(platform.requests).toHaveLength(1);
    await clock.advance(1);
    expect(platform.requests).toHaveLength(2);
  });

  test("each event has its own result: retry and unknown are sent again before newer events, invalid is reported", async () => {
    const { client, platform, clock, track, invalid, delivered } = create({ maxBatchEvents: 5 });
    const statuses = ["accepted", "retry", "invalid", "unknown", "stored"] as const;
    const errors = [{ pointer: "/payload", message: "must be an object" }];
    platform.script.push((request) =>
      respondWithResults(request, (_, i) => ({
        status: statuses[i]!,
        ...(statuses[i] === "invalid" && { code: "invalid_event", errors }),
      })),
    );
    track("a", "b", "c", "d", "e", "f");
    await clock.advance(10_000);
    expect(platform.sentIds).toEqual([
      ["a", "b", "c", "d", "e"],
      ["b", "d", "f"],
    ]);
    expect(invalid).toMatchObject([{ event_id: "c", code: "invalid_event", errors }]);
    expect(delivered.map(({ event_id }) => event_id)).toEqual(["a", "e", "b", "d", "f"]);
    expect(client.stats()).toMatchObject({ delivered: 5, invalid: 1, queuedEvents: 0 });
  });

  test.each([422, 503, 504])("the results in a problem of status %i count", async (status) => {
    const { platform, clock, track, invalid } = create();
    platform.script.push(() =>
      respondWith(status, {
        code: "any",
        results: [
          { index: 0, status: "invalid", event_id: "a" },
          { index: 1, status: "unknown", event_id: "b" },
        ],
      }),
    );
    track("a", "b");
    await clock.advance(10_000);
    expect(platform.sentIds).toEqual([["a", "b"], ["b"]]);
    expect(invalid).toMatchObject([{ event_id: "a" }]);
  });

  test("413 halves the batch, and what is learned is kept; an event that is too large by itself is reported", async () => {
    const { client, platform, clock, track, invalid } = create({ maxBatchEvents: 8 });
    platform.respond = (request) =>
      request.events.length > 2 || request.events.some(({ event_id }) => event_id === "c")
        ? respondWith(413, { code: "too_large" })
        : respondWithResults(request);
    track("a", "b", "c", "d", "e", "f", "g", "h");
    await clock.advance(60_000);
    expect(platform.sentIds).toEqual([
      ["a", "b", "c", "d", "e", "f", "g", "h"],
      ["a", "b", "c", "d"],
      ["a", "b"],
      ["c", "d"],
      ["c"],
      ["d"],
      ["e"],
      ["f"],
      ["g"],
      ["h"],
    ]);
    expect(invalid).toMatchObject([{ event_id: "c", code: "too_large" }]);
    expect(client.stats()).toMatchObject({ delivered: 7, invalid: 1, queuedEvents: 0 });
  });
});

describe("a response that no retry changes", () => {
  test.each([400, 401, 403, 404, 405, 415, 422])(
    "%i stops the client, which tells why and keeps all events",
    async (status) => {
      const { client, platform, clock, track, stops, dropped } = create();
      platform.script.push(() =>
        respondWith(status, { code: "unauthorized", detail: "The key is unknown." }),
      );
      track("a");
      const flushed = client.flush();
      await clock.advance(100_000);
      expect(await flushed).toEqual({ pending: 1 });
      expect(stops).toEqual([{ status, code: "unauthorized", detail: "The key is unknown." }]);
      expect(track("b")).toEqual(["queued"]);
      await clock.advance(100_000);
      expect(platform.requests).toHaveLength(1);
      expect(await client.flush()).toEqual({ pending: 2 });
      client.resume("new key");
      await clock.advance(100);
      expect(platform.sentIds[1]).toEqual(["a", "b"]);
      expect(platform.requests[1]!.headers.authorization).toBe("Bearer new key");
      expect(dropped).toEqual([]);
    },
  );
});

describe("flush and close", () => {
  test("flush sends at once, and resolves when each event that was queued has a fate", async () => {
    const { client, platform, clock, track } = create({ lingerMs: 60_000, maxBatchEvents: 2 });
    platform.script.push(respondWithResults, () => respondWith(503));
    track("a", "b", "c");
    const flushed = client.flush();
    await clock.advance(0);
    expect(platform.sentIds).toEqual([["a", "b"], ["c"]]);
    track("later");
    let result: unknown;
    void flushed.then((value) => {
      result = value;
    });
    await settled();
    expect(result).toBeUndefined();
    await clock.advance(1_000);
    expect(result).toEqual({ pending: 0 });
    expect(await client.flush({ timeoutMs: 1 }).then(() => "resolved")).toBe("resolved");
  });

  test("flush of an empty queue resolves; with a timeout it says how many have no fate", async () => {
    const { client, platform, clock, track } = create();
    expect(await client.flush()).toEqual({ pending: 0 });
    platform.respond = () => respondWith(503);
    track("a", "b");
    const flushed = client.flush({ timeoutMs: 2_000 });
    await clock.advance(2_000);
    expect(await flushed).toEqual({ pending: 2 });
    expect(client.stats().queuedEvents).toBe(2);
  });

  test("close sends the rest, takes nothing more, and leaves no timer", async () => {
    const { client, platform, clock, track } = create({ lingerMs: 60_000 });
    platform.page = undefined;
    track("a");
    const closed = client.close();
    expect(client.track("t")).toMatchObject({ status: "rejected", reason: "closed" });
    await clock.advance(0);
    expect(await closed).toEqual({ pending: 0 });
    expect(await client.close()).toEqual({ pending: 0 });
    expect(platform.sentIds).toEqual([["a"]]);
    expect(clock.timers).toBe(0);
  });

  test("close that times out aborts the request and reports the events as dropped", async () => {
    const { client, platform, clock, track, dropped } = create();
    let isAborted = false;
    platform.respond = ({ signal }) =>
      new Promise((_, reject) =>
        signal.addEventListener("abort", () => {
          isAborted = true;
          reject(signal.reason);
        }),
      );
    track("a");
    const closed = client.close({ timeoutMs: 1_000 });
    await clock.advance(1_000);
    expect(await closed).toEqual({ pending: 1 });
    expect(isAborted).toBe(true);
    expect(dropped).toEqual([["a", "closed"]]);
    await clock.advance(0);
    expect(clock.timers).toBe(0);
  });
});

test("an option that can't be used is an error that names it", () => {
  expect(() => create({ maxQueueEvents: 0 })).toThrow("maxQueueEvents must be a positive number, not 0");
  expect(() => create({ lingerMs: Number.NaN })).toThrow("lingerMs");
  expect(() => create({ url: "nowhere" })).toThrow(TypeError);
});
