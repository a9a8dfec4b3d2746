// Limits as callers meet them: over the application, and over the sockets of both servers.
import { afterEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { RawSocket } from "@ingest/testkit";
import { serveTestApp } from "../../testing/serve.ts";
import { TestApps, transports } from "../../testing/transports.ts";
import { ManualClock } from "./testing/limits.ts";

const KEY = { "x-api-key": "secret" };
const callersWith = (limits: object) => ({
  callers: [{ id: "shop", keys: [{ sha256: createHash("sha256").update("secret").digest("hex") }], limits }],
});
const event = '{"event_type":"a"}';
const batchOf = (count: number) => `[${Array.from({ length: count }, () => event).join()}]`;

describe.each([...transports])("over %s", (transport) => {
  const apps = new TestApps(transport);
  afterEach(() => apps.closeAll());
  const open = (limits: object) => {
    const clock = new ManualClock(20_000 * 86_400_000);
    return { clock, ...apps.open({ callers: callersWith(limits), clock }) };
  };

  test("an event beyond the rate: 429 with Retry-After, after which it passes", async () => {
    const { post, clock, delivery } = open({ events_per_second: 2 });
    for (let n = 0; n < 2; n++) expect((await post("/register_event", event, KEY)).status).toBe(202);
    const refused = await post("/register_event", event, KEY);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(refused.headers.get("ratelimit-policy")).toBe('"events_per_second";q=2;w=1');
    expect(refused.headers.get("ratelimit")).toBe('"events_per_second";r=0;t=1');
    expect(await refused.json()).toMatchObject({
      code: "rate_limited",
      detail: "Caller shop may send 2 events a second: send it again in 1 s.",
    });
    clock.advance(1_000);
    expect((await post("/register_event", event, KEY)).status).toBe(202);
    expect(delivery.taken).toHaveLength(3);
  });

  test("a response to an event that passed has the state of the limits", async () => {
    const { post } = open({ events_per_second: 100, events_per_day: 1_000 });
    const response = await post("/register_event", event, KEY);
    expect(response.headers.get("ratelimit")).toBe(
      '"events_per_second";r=99;t=1, "events_per_day";r=999;t=86400',
    );
  });

  test("of a batch the first events pass, and the others have a result each", async () => {
    const { post, delivery, clock } = open({ events_per_second: 3 });
    const response = await post("/register_events", batchOf(5), KEY);
    expect(response.status).toBe(207);
    const { results } = (await response.json()) as { results: object[] };
    expect(results).toMatchObject([
      { index: 0, status: "accepted" },
      { index: 1, status: "accepted" },
      { index: 2, status: "accepted" },
      { index: 3, status: "retry", code: "rate_limited", retry_after_seconds: 1 },
      { index: 4, status: "retry", code: "rate_limited", retry_after_seconds: 1 },
    ]);
    expect(delivery.taken).toHaveLength(3);
    const refused = await post("/register_events", batchOf(2), KEY);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("1");
    clock.advance(1_000);
    expect((await post("/register_events", batchOf(2), KEY)).status).toBe(202);
  });

  test("a quota: 429 until the next day", async () => {
    const { post, clock } = open({ events_per_day: 2 });
    expect((await post("/register_events", batchOf(2), KEY)).status).toBe(202);
    const refused = await post("/register_event", event, KEY);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("86400");
    expect(await refused.json()).toMatchObject({ code: "quota_exceeded" });
    clock.advance(86_400_000);
    expect((await post("/register_event", event, KEY)).status).toBe(202);
  });

  test("bytes count after decompression", async () => {
    const { post } = open({ bytes_per_second: 1_000 });
    const body = Bun.gzipSync(Buffer.from(`{"event_type":"a","payload":{"a":"${"x".repeat(950)}"}}`));
    const send = () => post("/register_event", body, { ...KEY, "content-encoding": "gzip" });
    expect((await send()).status).toBe(202);
    expect((await send()).status).toBe(429);
  });

  test("an event that this service can't take gives its tokens back, an invalid one does not", async () => {
    const { post, delivery } = open({ events_per_second: 2, events_per_day: 2 });
    const refusal = { status: "refused", code: "queue_full", detail: "", retryAfterSeconds: 1 } as const;
    delivery.acceptOutcomes.push(refusal, refusal, refusal);
    expect((await post("/register_event", event, KEY)).status).toBe(503);
    expect((await post("/register_events", batchOf(2), KEY)).status).toBe(503);
    expect((await post("/register_event", "{}", KEY)).status).toBe(422);
    expect((await post("/register_event", event, KEY)).status).toBe(202);
    expect((await post("/register_event", event, KEY)).status).toBe(429);
  });

  test("a caller without limits has no such fields", async () => {
    const { post } = apps.open({
      callers: { ...callersWith({}), anonymous: { limits: { events_per_second: 1 } } },
    });
    expect((await post("/register_event", event, KEY)).headers.get("ratelimit")).toBeNull();
    expect((await post("/register_event", event)).headers.get("ratelimit")).not.toBeNull();
    expect((await post("/register_event", event)).status).toBe(429);
    expect((await post("/register_event", event, KEY)).status).toBe(202);
  });

  test("a page can read the fields", async () => {
    const { post } = apps.open({
      callers: callersWith({ events_per_second: 1 }),
      edge: { CORS_ALLOWED_ORIGINS: ["https://shop.example"] },
    });
    const page = { ...KEY, origin: "https://shop.example" };
    await post("/register_event", event, page);
    const refused = await post("/register_event", event, page);
    expect(refused.status).toBe(429);
    const exposed = refused.headers.get("access-control-expose-headers")!.split(", ");
    expect(exposed).toEqual(expect.arrayContaining(["RateLimit", "RateLimit-Policy", "Retry-After"]));
  });
});

test("of many requests pipelined in one segment no more pass than the limit allows", async () => {
  await using app = serveTestApp({
    callers: callersWith({ events_per_second: 5 }),
    clock: new ManualClock(),
  });
  using socket = new RawSocket(app.port);
  const request = `POST /register_event HTTP/1.1\r\nHost: a\r\nX-API-Key: secret\r\nContent-Type: application/json\r\nContent-Length: ${event.length}\r\n\r\n${event}`;
  socket.write(request.repeat(20));
  await socket.untilReceived("HTTP/1.1 ", 20);
  expect(app.delivery.taken).toHaveLength(5);
  expect(socket.received.split("HTTP/1.1 429").length - 1).toBe(15);
});

test("a limited request is refused before its body comes", async () => {
  await using app = serveTestApp({
    callers: callersWith({ events_per_second: 1 }),
    clock: new ManualClock(),
  });
  using socket = new RawSocket(app.port);
  const head = `POST /register_event HTTP/1.1\r\nHost: a\r\nX-API-Key: secret\r\nContent-Type: application/json\r\nContent-Length: ${event.length}\r\n\r\n`;
  socket.write(head + event);
  await socket.untilReceived("202 Accepted");
  socket.write(head);
  await socket.untilReceived("429 Too Many Requests");
  expect(app.admission.inFlight).toBe(0);
});
