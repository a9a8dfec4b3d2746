// Requests with keys, through the whole application.
import { afterEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import type { Problem } from "@ingest/contract";
import { TestApps, transports } from "../testing/transports.ts";

const sha256 = (key: string) => createHash("sha256").update(key).digest("hex");
const caller = (id: string, more: object = {}) => ({ id, keys: [{ sha256: sha256(`${id}-key`) }], ...more });
const event = JSON.stringify({ event_type: "order.created" });
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

describe.each(transports)("by %s", (transport) => {
  const apps = new TestApps(transport);
  afterEach(() => apps.closeAll());

  async function post(
    file: object,
    headers: Record<string, string> = {},
    path = "/register_event",
    body = event,
  ) {
    const { post, delivery } = apps.open({ callers: file });
    const response = await post(path, body, headers);
    return { status: response.status, response, body: (await response.json()) as Problem, delivery };
  }

  test("a key in Authorization or X-API-Key identifies its caller", async () => {
    const file = { callers: [caller("shop")] };
    expect((await post(file, bearer("shop-key"))).status).toBe(202);
    expect((await post(file, { authorization: "bearer  shop-key" })).status).toBe(202);
    expect((await post(file, { "x-api-key": "shop-key" })).status).toBe(202);
  });

  test("a missing key is 401 with a challenge that has no error", async () => {
    const { status, body, response } = await post({ callers: [caller("shop")] });
    expect({ status, code: body.code }).toEqual({ status: 401, code: "missing_api_key" });
    expect(response.headers.get("www-authenticate")).toBe('Bearer realm="events"');
  });

  test("an unknown key is 401, also where requests without a key are allowed", async () => {
    const { status, body, response } = await post(
      { callers: [caller("shop")], anonymous: {} },
      bearer("other-key"),
    );
    expect({ status, code: body.code }).toEqual({ status: 401, code: "invalid_api_key" });
    expect(response.headers.get("www-authenticate")).toBe(
      'Bearer realm="events", error="invalid_token", error_description="The key is not known."',
    );
  });

  test("a request without a key may send what `anonymous` allows", async () => {
    const file = { callers: [], anonymous: { event_types: ["order.*"] } };
    expect((await post(file)).status).toBe(202);
    const { status, body } = await post(file, {}, "/register_event", '{"event_type":"other"}');
    expect({ status, code: body.code }).toEqual({ status: 403, code: "event_type_not_allowed" });
  });

  test("an event type that its caller may not send is 403, in a batch only that event", async () => {
    const file = { callers: [caller("shop", { event_types: ["order.*"] })] };
    const single = await post(file, bearer("shop-key"), "/register_event", '{"event_type":"refund"}');
    expect({ status: single.status, code: single.body.code }).toEqual({
      status: 403,
      code: "event_type_not_allowed",
    });
    expect(single.body.errors).toEqual([
      { pointer: "/event_type", message: "may not be sent by shop; allowed: order.*" },
    ]);
    const batch = await post(
      file,
      bearer("shop-key"),
      "/register_events",
      `[${event},{"event_type":"refund"}]`,
    );
    expect(batch.status).toBe(207);
    expect(batch.body).toMatchObject({
      results: [{ status: "accepted" }, { status: "invalid", code: "event_type_not_allowed" }],
    });
  });

  test("a topic that its caller may not send to is 403", async () => {
    const allowed = { callers: [caller("shop", { topics: ["ev*"] })] };
    expect((await post(allowed, bearer("shop-key"))).status).toBe(202);
    const other = { callers: [caller("shop", { topics: ["shop"] })] };
    expect(await post(other, bearer("shop-key"))).toMatchObject({
      status: 403,
      body: { code: "topic_not_allowed", detail: "shop may not send to the topic events." },
    });
  });

  test("a caller has a durability of its own, and a highest one", async () => {
    const file = { callers: [caller("shop", { default_durability: "durable", max_durability: "durable" })] };
    expect(await post(file, bearer("shop-key"))).toMatchObject({ status: 202, body: { status: "durable" } });
    expect(await post(file, bearer("shop-key"), "/register_event?durability=stored")).toMatchObject({
      status: 403,
      body: { code: "durability_not_allowed", detail: "shop may ask for durable at most, not stored." },
    });
  });
});
