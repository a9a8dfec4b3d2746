// Bodies of other products through the application: which events they become, and what their SDKs get back.
import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { createTestApp, type TestAppOptions } from "../../testing/test-app.ts";

const appOf = (options: TestAppOptions = {}) =>
  createTestApp({ adapters: ["segment", "posthog"], ...options });
const eventsOf = ({ delivery }: ReturnType<typeof appOf>) => delivery.events;
const keyOf = (text: string, more: object = {}) => ({
  sha256: createHash("sha256").update(text).digest("hex"),
  ...more,
});
const callers = { callers: [{ id: "shop", keys: [keyOf("key-1")] }] };
const basic = (key: string) => ({ authorization: `Basic ${btoa(`${key}:`)}` });

test.each(["/v1/batch", "/v1/track", "/batch/", "/e/"])("without an adapter, %s is 404", async (path) => {
  expect((await createTestApp().post(path, "{}")).status).toBe(404);
});

describe("Segment", () => {
  const time = "2026-01-31T12:00:00.123Z";
  const track = {
    type: "track",
    event: "Order Completed",
    userId: "u-1",
    anonymousId: "a-1",
    messageId: "m-1",
    timestamp: time,
    properties: { total: 12.5, id: 12 },
    context: { library: { name: "l" } },
    extra: [1],
  };

  test("a batch becomes events, and every member that is not mapped stays in their payload", async () => {
    const app = appOf();
    const page = { type: "page", name: "Home", anonymousId: "a-2", messageId: "m-2", userId: null };
    const batch = { batch: [track, page], sentAt: time, writeKey: "secret" };
    const response = await app.post("/v1/batch", JSON.stringify(batch));
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ success: true });
    const [first, second] = eventsOf(app);
    expect(first).toEqual({
      event_type: "Order Completed",
      event_id: "m-1",
      user_id: "u-1",
      timestamp: time,
      payload: {
        type: "track",
        anonymousId: "a-1",
        properties: track.properties,
        context: track.context,
        extra: [1],
        batch: { sentAt: time },
      },
    });
    expect(second).toEqual({
      event_type: "page",
      event_id: "m-2",
      user_id: "a-2",
      timestamp: expect.any(Number),
      payload: { type: "page", name: "Home", anonymousId: "a-2", userId: null, batch: { sentAt: time } },
    });
  });

  test.each(["track", "identify", "page", "screen", "group", "alias"])(
    "/v1/%s takes one message",
    async (type) => {
      const app = appOf();
      const { type: _, ...message } = track;
      expect((await app.post(`/v1/${type}`, JSON.stringify(message))).status).toBe(200);
      expect(eventsOf(app)[0]).toMatchObject({
        event_type: type === "track" ? "Order Completed" : type,
        event_id: "m-1",
        payload: { type, ...(type !== "track" && { event: "Order Completed" }) },
      });
    },
  );

  test("numbers stay as they were written", async () => {
    const app = appOf();
    const numbers = '{"large":12345678901234567890,"small":1e-400,"zeros":1.00}';
    await app.post("/v1/track", `{"event":"a","userId":12345678901234567890,"properties":${numbers}}`);
    const [record] = app.delivery.taken;
    expect(record!.value.toString()).toContain(`"properties":${numbers}`);
    expect(record!.key).toBe("12345678901234567890");
  });

  test("a time that no event can have stays in the payload", async () => {
    const app = appOf();
    await app.post("/v1/track", JSON.stringify({ event: "a", timestamp: "yesterday" }));
    expect(eventsOf(app)[0]).toMatchObject({
      timestamp: expect.any(Number),
      payload: { timestamp: "yesterday" },
    });
  });

  test.each([
    ["no JSON", "{", 400],
    ["no object", "[]", 422],
    ["no batch", "{}", 422],
    ["nothing valid", '{"batch":[{"messageId":"m"},7]}', 422],
    ["too deep", `{"batch":[${"[".repeat(200)}${"]".repeat(200)}]}`, 422],
  ])("a body with %s is a problem", async (_, body, status) => {
    const app = appOf();
    const response = await app.post("/v1/batch", body);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(app.delivery.taken).toEqual([]);
  });

  test("the valid messages of a batch are taken, and the others have results", async () => {
    const app = appOf();
    const response = await app.post("/v1/batch", JSON.stringify({ batch: [track, { messageId: "m-9" }] }));
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      success: true,
      results: [{ status: "accepted" }, { status: "invalid", index: 1 }],
    });
  });

  test("a batch with an event that may be taken later is sent again: 503, never 200", async () => {
    const app = appOf();
    app.delivery.acceptOutcomes.push(
      { status: "accepted" },
      { status: "refused", code: "queue_full", detail: "full", retryAfterSeconds: 7 },
    );
    const response = await app.post(
      "/v1/batch",
      JSON.stringify({ batch: [track, { ...track, messageId: "m-2" }] }),
    );
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("7");
  });

  test("the key is the user name of Basic authentication, or the writeKey of the body", async () => {
    const app = appOf({ callers });
    const body = (writeKey?: string) => JSON.stringify({ batch: [track], writeKey });
    const status = async (text: string, headers = {}) => (await app.post("/v1/batch", text, headers)).status;
    expect(await status(body(), basic("key-1"))).toBe(200);
    expect(await status(body("key-1"))).toBe(200);
    expect(await status(body(), basic("wrong"))).toBe(401);
    expect(await status(body("wrong"))).toBe(401);
    expect(await status(body())).toBe(401);
    expect(await status("{", {})).toBe(401);
    expect(app.delivery.taken.map(({ value }) => value.toString()).join()).not.toContain("key-1");
  });

  test("Basic authentication is for these paths alone", async () => {
    const { post } = appOf({ callers });
    expect((await post("/register_event", '{"event_type":"a"}', basic("key-1"))).status).toBe(401);
  });
});

describe("PostHog", () => {
  const uuid = "0192f0c1-2c4f-7a63-8f14-7b8a4b0c1d2e";
  const event = {
    event: "signed_up",
    uuid,
    distinct_id: "d-1",
    timestamp: "2026-01-31T12:00:00.123Z",
    properties: { plan: "pro", token: "key-1" },
    library: "l",
  };
  const translated = {
    event_type: "signed_up",
    event_id: uuid,
    user_id: "d-1",
    timestamp: event.timestamp,
    payload: { properties: { plan: "pro" }, library: "l" },
  };

  test("a batch becomes events, without the key", async () => {
    const app = appOf();
    const body = { api_key: "key-1", batch: [event], sent_at: "now", historical_migration: true };
    const response = await app.post("/batch/", JSON.stringify(body));
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: "Ok" });
    const payload = { ...translated.payload, batch: { sent_at: "now", historical_migration: true } };
    expect(eventsOf(app)).toEqual([{ ...translated, payload }]);
  });

  const text = JSON.stringify(event);
  const plain = { "content-type": "text/plain" };
  const form = { "content-type": "application/x-www-form-urlencoded" };
  test.each([
    ["one event", "/capture/", text, {}],
    ["an array", "/e/", JSON.stringify([event]), {}],
    ["gzip-js", "/e/?compression=gzip-js&ver=1.2&_=17", gzipSync(text), plain],
    ["Content-Encoding", "/i/v0/e/", gzipSync(text), { "content-encoding": "gzip" }],
    ["base64 in a form", "/e/?compression=base64", `data=${encodeURIComponent(btoa(text))}`, form],
    ["a form", "/e/", new URLSearchParams({ data: text }).toString(), form],
  ])("%s is taken", async (_, path, body, headers) => {
    const app = appOf();
    expect((await app.post(path, body as Bun.BodyInit, headers)).status).toBe(200);
    expect(eventsOf(app)).toEqual([translated]);
  });

  test("an unknown compression is refused by name", async () => {
    const response = await appOf().post("/e/?compression=lz64", text);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("compression=lz64");
  });

  test("the durability may be named in the query", async () => {
    const app = appOf();
    expect((await app.post("/batch/?durability=never", text)).status).toBe(400);
    expect((await app.post("/batch/?durability=stored", text)).status).toBe(200);
    expect(app.service.counts.stored).toBe(1);
  });

  test("the key is in the body, compressed or not, and its caller is counted and limited", async () => {
    const limited = [{ ...callers.callers[0], event_types: ["signed_up"], limits: { events_per_second: 1 } }];
    const app = appOf({ callers: { callers: limited } });
    const body = (api_key: string, name = "signed_up") =>
      JSON.stringify({ api_key, batch: [{ ...event, event: name }] });
    expect((await app.post("/batch/", body("wrong"))).status).toBe(401);
    expect((await app.post("/batch/", gzipSync(body("key-1")), { "content-encoding": "gzip" })).status).toBe(
      200,
    );
    expect((await app.post("/batch/", body("key-1", "other"))).status).not.toBe(200);
    const again = await app.post("/batch/", body("key-1"));
    expect(again.status).toBe(429);
    expect(app.delivery.taken).toHaveLength(1);
    const metrics = await (await app.app.handle(new Request("http://localhost/metrics"))).text();
    expect(metrics).toMatch(/ingest_caller_requests_total\{caller="shop",status="200"\} 1/);
    expect(metrics).toMatch(/ingest_caller_requests_total\{caller="none",status="401"\} 1/);
  });

  test("a form from a page of another origin is refused", async () => {
    const headers = { ...form, origin: "https://evil.example" };
    expect((await appOf().post("/e/", `data=${text}`, headers)).status).toBe(403);
    const app = appOf({ edge: { CORS_ALLOWED_ORIGINS: ["https://shop.example"] } });
    const allowed = await app.post("/e/", text, { ...plain, origin: "https://shop.example" });
    expect(allowed.status).toBe(200);
    expect(allowed.headers.get("access-control-allow-origin")).toBe("https://shop.example");
  });
});

describe("a form", () => {
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const text =
    "event_type=signed+up&event_id=e-1&user_id=u-1&timestamp=1767225600000&plan=pro&tag=a&tag=%F0%9F%98%80";
  const event = {
    event_type: "signed up",
    event_id: "e-1",
    user_id: "u-1",
    timestamp: 1_767_225_600_000,
    payload: { plan: "pro", tag: ["a", "😀"] },
  };

  test("is an event, whose other fields are its payload", async () => {
    const app = createTestApp({ adapters: ["form"] });
    expect((await app.post("/register_event", text, form)).status).toBe(202);
    expect(app.delivery.events).toEqual([event]);
  });

  test.each([
    ["without the adapter", [], "/register_event", text, form, 415],
    ["to the path for many", ["form"], "/register_events", text, form, 415],
    [
      "of another charset",
      ["form"],
      "/register_event",
      text,
      { "content-type": `${form["content-type"]};charset=latin1` },
      415,
    ],
    ["without a type", ["form"], "/register_event", "a=b", form, 422],
    ["that is not UTF-8", ["form"], "/register_event", "event_type=a&b=%FF", form, 400],
    [
      "that is too large as JSON",
      ["form"],
      "/register_event",
      `event_type=a&b=${"%01".repeat(3_000)}`,
      form,
      413,
    ],
    [
      "of a page elsewhere",
      ["form"],
      "/register_event",
      text,
      { ...form, origin: "https://evil.example" },
      403,
    ],
  ] as const)("%s is refused", async (_, adapters, path, body, headers, status) => {
    const app = createTestApp({ adapters });
    expect((await app.post(path, body, headers)).status).toBe(status);
    expect(app.delivery.events).toEqual([]);
  });
});

describe("the pixel", () => {
  const get = ({ app }: ReturnType<typeof createTestApp>, query: string, init: RequestInit = {}) =>
    app.handle(new Request(`http://localhost/pixel.gif?${query}`, init));

  test("is an image, and its query an event", async () => {
    const app = createTestApp({ adapters: ["pixel"] });
    const response = await get(app, "event_type=opened&mail=7&durability=stored", {
      headers: { "sec-fetch-site": "cross-site" },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("image/gif");
    expect(response.headers.get("cache-control")).toBe("no-store");
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes.subarray(0, 6).toString()).toBe("GIF89a");
    expect([bytes.readUInt16LE(6), bytes.readUInt16LE(8), bytes.at(-1)]).toEqual([1, 1, 0x3b]);
    expect(app.delivery.events).toMatchObject([{ event_type: "opened", payload: { mail: "7" } }]);
    expect(app.service.counts.stored).toBe(1);
  });

  test("is shown when the event is refused, whose status is in the metrics", async () => {
    const app = createTestApp({ adapters: ["pixel"] });
    expect((await get(app, "mail=7")).status).toBe(200);
    app.delivery.refusal = { status: "refused", code: "queue_full", detail: "full", retryAfterSeconds: 1 };
    expect((await get(app, "event_type=opened")).headers.get("content-type")).toBe("image/gif");
    expect(app.metrics.routes["/pixel.gif"]?.byStatus).toEqual({ 422: 1, 503: 1 });
    expect(app.delivery.events).toEqual([]);
    expect(app.admission.inFlight).toBe(0);
  });

  test("registers nothing by HEAD, and is 404 without the adapter", async () => {
    const app = createTestApp({ adapters: ["pixel"] });
    const response = await get(app, "event_type=opened", { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(app.delivery.events).toEqual([]);
    expect((await get(createTestApp(), "event_type=opened")).status).toBe(404);
  });

  test("takes a caller's key in the query, which is no part of the event", async () => {
    const inQuery = { callers: [{ id: "mail", keys: [keyOf("key-2", { in_query: true })] }] };
    const app = createTestApp({ adapters: ["pixel"], callers: inQuery });
    await get(app, "event_type=opened&write_key=wrong");
    expect(app.delivery.events).toEqual([]);
    await get(app, "event_type=opened&write_key=key-2", { headers: { "sec-fetch-site": "cross-site" } });
    expect(app.delivery.events).toHaveLength(1);
    expect(JSON.stringify(app.delivery.events)).not.toContain("key-2");
  });
});

test.each([
  ["/register_event", "text/csv", "application/json, application/cloudevents+json"],
  ["/register_event", "application/x-ndjson", "application/json, application/cloudevents+json"],
  ["/register_events", "application/json; charset=latin1", "application/json, application/cloudevents+json"],
  ["/register_events", "application/x-www-form-urlencoded", "application/json, application/cloudevents+json"],
  ["/register_event", "application/cloudevents-batch+json", "application/json, application/cloudevents+json"],
  ["/v1/batch", "application/x-ndjson", "application/json"],
  ["/v1/batch", "text/csv", "application/json"],
])("415 of %s to %s names in Accept what is taken", async (path, type, accept) => {
  const response = await appOf().post(path, "", { "content-type": type });
  expect(response.status).toBe(415);
  expect(response.headers.get("accept")).toBe(accept);
});

test.each(["/v1/batch", "/batch"])("%s: a small body does not become a large one", async (path) => {
  const app = appOf();
  const batch = Array.from({ length: 100 }, () => ({ event: "a", type: "track" }));
  const response = await app.post(path, JSON.stringify({ batch, context: "x".repeat(5_000) }));
  expect(response.status).toBe(413);
  expect(app.delivery.taken).toEqual([]);
  const one = await app.post(path, JSON.stringify({ batch: batch.slice(0, 1), context: "x".repeat(5_000) }));
  expect(one.status).toBe(200);
  const many = Array.from({ length: 101 }, () => batch[0]);
  expect((await app.post(path, JSON.stringify({ batch: many }))).status).toBe(413);
});
