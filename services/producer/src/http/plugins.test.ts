// Elysia's hooks and its plugins on the routes of this service, and streams: the same over every transport.
import { afterEach, describe, expect, test } from "bun:test";
import { bearer } from "@elysiajs/bearer";
import { cors } from "@elysiajs/cors";
import { treaty } from "@elysiajs/eden";
import { serverTiming } from "@elysiajs/server-timing";
import { IncomingRequest, LightResponse } from "@ingest/http-server";
import { RawSocket, until } from "@ingest/testkit";
import { Elysia, sse, t } from "elysia";
import { serveTestApp } from "../testing/serve.ts";
import { createTestApp } from "../testing/test-app.ts";
import { TestApps, transports } from "../testing/transports.ts";

const EVENT = '{"event_type":"a"}';

describe.each(transports)("through %s", (transport) => {
  const apps = new TestApps(transport);
  afterEach(() => apps.closeAll());

  describe("an event route", () => {
    test("gives hooks a complete request", async () => {
      const seen: unknown[] = [];
      const plugin = new Elysia().onBeforeHandle(
        { as: "global" },
        async ({ request, headers, query, path }) => {
          const { pathname, search } = new URL(request.url);
          seen.push(
            request instanceof Request,
            request.method,
            pathname + search,
            request.headers.get("x-a"),
            headers["x-a"],
            query.durability,
            path,
            request.signal.aborted,
            await request.clone().text(),
            await request.text(),
            request.bodyUsed,
          );
        },
      );
      const { post, delivery } = apps.open({ plugins: [plugin] });
      const response = await post("/register_event?durability=durable", EVENT, { "x-a": "1" });
      expect(response.status).toBe(202);
      expect(seen).toEqual([
        true,
        "POST",
        "/register_event?durability=durable",
        "1",
        "1",
        "durable",
        "/register_event",
        false,
        EVENT,
        EVENT,
        true,
      ]);
      expect(delivery.events).toMatchObject([{ event_type: "a" }]);
    });

    test("works behind a hook for which Elysia parses the body", async () => {
      const bodies: unknown[] = [];
      const plugin = new Elysia().onBeforeHandle({ as: "global" }, ({ body }) => void bodies.push(body));
      const { post, delivery } = apps.open({ plugins: [plugin] });
      expect((await post("/register_event", EVENT)).status).toBe(202);
      expect(bodies).toEqual([{ event_type: "a" }]);
      expect(delivery.events).toMatchObject([{ event_type: "a" }]);
    });

    test("sends the headers and cookies that hooks set, beside its own", async () => {
      const plugin = new Elysia()
        .onRequest(({ set }) => {
          set.headers["x-request"] = "1";
        })
        .derive({ as: "global" }, ({ headers }) => ({ caller: headers["x-caller"] }))
        .onBeforeHandle({ as: "global" }, ({ set, caller, cookie }) => {
          set.headers["x-caller"] = caller ?? "";
          set.headers["content-type"] = "text/plain";
          cookie.seen!.value = "yes";
        });
      const { post } = apps.open({ plugins: [plugin] });
      const response = await post("/register_event", EVENT, { "x-caller": "me" });
      expect(response.status).toBe(202);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "x-request": "1",
        "x-caller": "me",
        "content-type": "application/json",
        "set-cookie": expect.stringContaining("seen=yes"),
      });
      expect(await response.json()).toMatchObject({ status: "accepted" });
    });

    test("stays a text response when only plain headers are set, and an invalid one is refused", async () => {
      const responses: unknown[] = [];
      const plugin = new Elysia()
        .onBeforeHandle({ as: "global" }, ({ set, headers }) => {
          set.headers["x-a"] = headers["x-bad"] === undefined ? "1" : "1\r\nx-injected: 1";
        })
        .onAfterHandle({ as: "global" }, ({ response }) => void responses.push(response));
      const { post } = apps.open({ plugins: [plugin] });
      expect((await post("/register_event", EVENT)).headers.get("x-a")).toBe("1");
      expect(responses).toEqual([expect.any(LightResponse)]);
      const refused = post("/register_event", EVENT, { "x-bad": "1" });
      // Without a server nobody makes a response of the exception.
      if (transport === "app.handle") await expect(refused).rejects.toThrow(TypeError);
      else expect((await refused).status).toBe(500);
    });

    test("keeps the length of its body, whatever hooks set", async () => {
      const plugin = new Elysia().onBeforeHandle({ as: "global" }, ({ set }) => {
        Object.assign(set.headers, { "Content-Length": "3", "transfer-encoding": "chunked", date: "now" });
      });
      const { post } = apps.open({ plugins: [plugin] });
      const response = await post("/register_event", EVENT);
      expect(await response.json()).toMatchObject({ status: "accepted" });
      expect(response.headers.get("date") ?? "").not.toContain("now");
      expect(response.headers.get("content-length") ?? "71").toMatch(/^\d\d$/);
      expect(response.headers.has("transfer-encoding")).toBe(false);
    });

    test("is no longer in flight when a hook has refused it, also when its body came late", async () => {
      const plugin = new Elysia().onBeforeHandle({ as: "global" }, () => new Response("no", { status: 401 }));
      const { send, admission } = apps.open({ plugins: [plugin] });
      const body = new ReadableStream({
        async start(controller) {
          controller.enqueue(EVENT.slice(0, 1));
          await Bun.sleep(20);
          controller.enqueue(EVENT.slice(1));
          controller.close();
        },
      });
      const response = await send("/register_event", { method: "POST", body });
      expect(response.status).toBe(401);
      expect(admission.inFlight).toBe(0);
    });

    test("is refused by a hook's status(), replaced by onAfterHandle, and an error is a plugin's to handle", async () => {
      class Teapot extends Error {}
      const plugin = new Elysia()
        .onError({ as: "global" }, ({ error, set }) => {
          if (!(error instanceof Teapot)) return undefined;
          set.status = 418;
          return { short: true };
        })
        .onBeforeHandle({ as: "global" }, ({ headers, status }) => {
          if (headers["x-do"] === "return") return status(402, "pay");
          if (headers["x-do"] === "throw") throw status(403, "no");
          if (headers["x-do"] === "teapot") throw new Teapot();
          return undefined;
        })
        .onAfterHandle({ as: "global" }, ({ headers, response }) =>
          headers["x-do"] === "replace" ? { replaced: response instanceof LightResponse } : undefined,
        );
      const { post, delivery } = apps.open({ plugins: [plugin] });
      const outcome = async (what: string) => {
        const response = await post("/register_event", EVENT, { "x-do": what });
        return [response.status, await response.text()];
      };
      expect(await outcome("return")).toEqual([402, "pay"]);
      expect(await outcome("throw")).toEqual([403, "no"]);
      expect(await outcome("teapot")).toEqual([418, '{"short":true}']);
      expect(delivery.taken).toEqual([]);
      expect(await outcome("replace")).toEqual([200, '{"replaced":true}']);
      expect(delivery.taken).toHaveLength(1);
    });
  });

  describe("another route", () => {
    const plugin = new Elysia()
      .derive(({ request }) => ({ agent: request.headers.get("user-agent") }))
      .get("/derived", ({ agent, set }) => {
        set.status = 203;
        set.headers["x-a"] = "1";
        return { agent };
      })
      .get("/query", ({ query }) => query, { query: t.Object({ n: t.Number() }) })
      .post("/echo", ({ body }) => body)
      .post("/form", async ({ request }) => (await request.formData()).get("a"))
      .get("/cookie", ({ cookie }) => {
        const before = cookie.n!.value ?? "none";
        cookie.n!.value = "2";
        return before;
      });

    test("has derive, set, query, body and cookies", async () => {
      const { send } = apps.open({ plugins: [plugin] });
      const derived = await send("/derived", { headers: { "user-agent": "test" } });
      expect([derived.status, derived.headers.get("x-a"), await derived.json()]).toEqual([
        203,
        "1",
        { agent: "test" },
      ]);
      expect(await (await send("/query?n=4")).json()).toEqual({ n: 4 });
      expect((await send("/query?n=x")).status).toBe(422);
      const json = { method: "POST", body: '{"a":[1]}', headers: { "content-type": "application/json" } };
      expect(await (await send("/echo", json)).json()).toEqual({ a: [1] });
      const form = new FormData();
      form.set("a", "ключ");
      expect(await (await send("/form", { method: "POST", body: form })).text()).toBe("ключ");
      const cookie = await send("/cookie", { headers: { cookie: "n=1" } });
      expect([await cookie.text(), cookie.headers.get("set-cookie")]).toEqual(["1", "n=2; Path=/"]);
    });

    // Without a server nobody refuses it.
    test.skipIf(transport === "app.handle")("is a fault when its status is interim", async () => {
      const plugin = new Elysia().get("/interim", () => new Response(null, { status: 101 }));
      const { send } = apps.open({ plugins: [plugin] });
      expect((await send("/interim")).status).toBe(500);
    });

    test("responds to HEAD as to GET, without the body", async () => {
      const { send } = apps.open();
      const [get, head] = [await send("/"), await send("/", { method: "HEAD" })];
      expect([head.status, head.headers.get("content-type")]).toEqual([200, get.headers.get("content-type")]);
      expect(await head.text()).toBe("");
    });

    test("responds to HEAD by a route of its own where there is one", async () => {
      const plugin = new Elysia()
        .head("/file", () => new Response(null, { headers: { "content-length": "5" } }))
        .get("/file", () => "never read");
      const { send } = apps.open({ plugins: [plugin] });
      const response = await send("/file", { method: "HEAD" });
      expect([response.status, response.headers.get("content-length")]).toEqual([200, "5"]);
    });
  });

  describe("a plugin", () => {
    test("cors: a preflight, and the headers of an event's response", async () => {
      const { send, post } = apps.open({ plugins: [cors({ origin: "https://page.example" })] });
      const headers = { origin: "https://page.example", "access-control-request-method": "POST" };
      const preflight = await send("/register_event", { method: "OPTIONS", headers });
      expect(preflight.status).toBe(204);
      expect(preflight.headers.get("access-control-allow-origin")).toBe("https://page.example");
      const response = await post("/register_event", EVENT, headers);
      expect(response.status).toBe(202);
      expect(response.headers.get("access-control-allow-origin")).toBe("https://page.example");
      expect(response.headers.get("vary")).toBe("Origin");
    });

    test("bearer: a token decides", async () => {
      const guard = new Elysia()
        .use(bearer())
        .onBeforeHandle({ as: "global" }, ({ bearer, status }) =>
          bearer === "secret" ? undefined : status(401, "Unauthorized"),
        );
      const { post } = apps.open({ plugins: [guard] });
      expect((await post("/register_event", EVENT)).status).toBe(401);
      const authorized = await post("/register_event", EVENT, { authorization: "Bearer secret" });
      expect(authorized.status).toBe(202);
    });

    test("server-timing: the time of each step", async () => {
      const { post } = apps.open({ plugins: [serverTiming({ enabled: true })] });
      const response = await post("/register_event", EVENT);
      expect(response.status).toBe(202);
      expect(response.headers.get("server-timing")).toMatch(/total;dur=/);
      expect(await response.json()).toMatchObject({ status: "accepted" });
    });
  });

  describe("a generator", () => {
    async function* count() {
      for (let n = 1; n <= 3; n++) {
        yield `${n};`;
        await Bun.sleep(1);
      }
    }

    test("is a stream of its pieces", async () => {
      const plugin = new Elysia().get("/count", count).get("/events", async function* () {
        yield sse({ event: "tick", data: "1" });
        await Bun.sleep(1);
        yield sse({ event: "tick", data: "2" });
      });
      const { send } = apps.open({ plugins: [plugin] });
      expect(await (await send("/count")).text()).toBe("1;2;3;");
      const events = await send("/events");
      expect(events.headers.get("content-type")).toStartWith("text/event-stream");
      expect(await events.text()).toBe("event: tick\ndata: 1\n\nevent: tick\ndata: 2\n\n");
    });

    test("that throws in between breaks the response off", async () => {
      const headSent = Promise.withResolvers<void>();
      const plugin = new Elysia().get("/broken", async function* () {
        yield "one";
        await headSent.promise;
        throw new Error("broken");
      });
      const { send } = apps.open({ plugins: [plugin] });
      const response = await send("/broken");
      headSent.resolve();
      expect(response.status).toBe(200);
      await expect(response.text()).rejects.toThrow();
    });

    test("that throws at once is a fault", async () => {
      // biome-ignore lint/correctness/useYield: it fails before it yields
      const plugin = new Elysia().get("/broken", async function* (): AsyncGenerator<string> {
        throw new Error("broken");
      });
      const { send } = apps.open({ plugins: [plugin] });
      expect((await send("/broken")).status).toBe(500);
    });
  });
});

test("an event has its response in the turn in which it is handled, also with hooks that wait for nothing", async () => {
  const plugin = new Elysia().onBeforeHandle({ as: "global" }, ({ set }) => {
    set.headers["x-a"] = "1";
  });
  for (const plugins of [[], [plugin]]) {
    const { app } = createTestApp({ plugins });
    const request = await IncomingRequest.from(
      new Request("http://a/register_event", { method: "POST", body: EVENT }),
    );
    const response = app.fetch(request) as unknown;
    expect(response).toBeInstanceOf(LightResponse);
    expect((response as LightResponse).lines).toBe(plugins.length === 0 ? "" : "x-a: 1\r\n");
  }
});

test("eden sends requests over the socket", async () => {
  await using served = serveTestApp();
  const api = treaty<typeof served.app>(served.url);
  expect((await api.health.live.get()).status).toBe(200);
  // The routes of the events are made from a table, which Elysia's types do not follow.
  interface Outcome {
    status: number;
    data: unknown;
    error: { value: unknown } | null;
  }
  const events = api as unknown as { register_event: { post(body: object): Promise<Outcome> } };
  const { status, data } = await events.register_event.post({ event_type: "a" });
  expect([status, data]).toEqual([202, { status: "accepted", event_id: expect.any(String) }]);
  const refused = await events.register_event.post({});
  expect([refused.status, refused.error?.value]).toEqual([
    422,
    expect.objectContaining({ code: "invalid_event" }),
  ]);
});

describe("a stream of events on the socket", () => {
  const request = "GET /events HTTP/1.1\r\nHost: test\r\n\r\n";

  function openEvents(implementation: "native" | "bun" = "native") {
    const state = { yielded: 0, isFinished: false };
    const plugin = new Elysia().get("/events", async function* ({ request }) {
      try {
        for (;;) {
          state.yielded++;
          yield sse({ data: "x".repeat(64 * 1024) });
          await new Promise(setImmediate);
        }
      } finally {
        state.isFinished = request.signal.aborted;
      }
    });
    return { state, served: serveTestApp({ plugins: [plugin], implementation }) };
  }

  test("waits for a slow client", async () => {
    const { state, served } = openEvents();
    await using _ = served;
    using socket = new RawSocket(served.port);
    socket.socket.pause();
    socket.write(request);
    await until("a full socket", () => served.unsentBudget.used > 0);
    const before = state.yielded;
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    // Elysia asks for two pieces before the client has taken one.
    expect(state.yielded - before).toBeLessThanOrEqual(3);
    socket.socket.resume();
    await until("more", () => state.yielded > before + 10);
  });

  test.each(["native", "bun"] as const)(
    "ends with its client, and the generator's finally runs: %s",
    async (implementation) => {
      const { state, served } = openEvents(implementation);
      await using _ = served;
      const socket = new RawSocket(served.port);
      socket.write(request);
      await socket.untilReceived("data: ");
      socket[Symbol.dispose]();
      await until("the end", () => state.isFinished);
      expect(served.server.connections).toBe(0);
    },
  );
});
