// The application behind its HTTP server, on real sockets: what the server refuses gets a problem body, is counted, and is
// reported to admission; and what both servers have in common. Syntax, bounds and timeouts themselves are tested in packages/http-server.
import { describe, expect, test } from "bun:test";
import { problems } from "@ingest/contract";
import { rejectionStatuses } from "@ingest/http-server";
import { RawSocket, until } from "@ingest/testkit";
import type { StoredOutcome } from "../delivery/index.ts";
import { type ServeOptions, serveTestApp } from "../testing/serve.ts";
import { portPaths } from "./admin-paths.ts";

const EVENT = '{"event_type":"a"}';
const head = (path: string, headers: string) =>
  `POST ${path} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n${headers}\r\n\r\n`;
const eventRequest = (path = "/register_event") => head(path, `Content-Length: ${EVENT.length}`) + EVENT;

/** Bun.serve is the reference: what both servers support, they do alike. */
const implementations = ["native", "bun"] as const;

async function expectAccepted(url: string): Promise<void> {
  const response = await fetch(`${url}/register_event`, { method: "POST", body: EVENT });
  expect(response.status).toBe(202);
}

describe("what the server refuses has a problem body", () => {
  test.each(Object.entries(rejectionStatuses) as [keyof typeof rejectionStatuses, number][])(
    "%s has the status %i in the table of problems too",
    (code, status) => expect<number>(problems[code].status).toBe(status),
  );

  test.each([
    ["not_http", 400, "NONSENSE\r\n\r\n"],
    ["bad_encoding", 400, `${head("/register_event", "Transfer-Encoding: chunked")}zz\r\n`],
    ["too_large", 413, head("/register_event", "Content-Length: 99999999999")],
    ["uri_too_long", 414, `GET /${"y".repeat(10_000)}`],
    ["head_too_large", 431, head("/register_event", `X-Large: ${"y".repeat(40_000)}`)],
    ["request_timeout", 408, `${head("/register_event", "Content-Length: 50")}{"ev`],
    ["request_timeout", 408, "POST /register_event HTTP/1.1\r\nHost:"],
  ])("%s is %i", async (code, status, text) => {
    await using served = serveTestApp({ bodyTimeoutMs: 100, headTimeoutMs: 100 });
    using socket = new RawSocket(served.port);
    socket.write(text);
    const response = await socket.untilClosed();
    expect(response).toStartWith(`HTTP/1.1 ${status}`);
    expect(response).toContain("Content-Type: application/problem+json");
    expect(response).toContain(`"code":"${code}"`);
    expect([served.admission.inFlight, served.budget.used]).toEqual([0, 0]);
    const { routes, other } = served.metrics;
    expect({ ...other, ...routes["/register_event"].byStatus }).toEqual({ [status]: 1 });
    await expectAccepted(served.url);
  });

  test("a connection beyond the limit is overloaded, with Retry-After", async () => {
    await using served = serveTestApp({ maxConnections: 1 });
    using _ = new RawSocket(served.port);
    await until("the first connection", () => served.server.connections === 1);
    using socket = new RawSocket(served.port);
    const response = await socket.untilClosed();
    expect(response).toContain("Retry-After: 1");
    expect(response).toContain('"code":"overloaded"');
  });
});

test("a body that arrives is refused while others take all the memory, with Retry-After", async () => {
  await using served = serveTestApp({ maxInFlightBytes: 100 });
  using first = new RawSocket(served.port);
  using second = new RawSocket(served.port);
  first.write(`${head("/register_event", "Content-Length: 90")}{`);
  await until("the first body", () => served.budget.used > 0);
  second.write(`${head("/register_event", "Content-Length: 90")}{`);
  const response = await second.untilReceived("overloaded");
  expect(response).toStartWith("HTTP/1.1 503");
  expect(response).toContain("Retry-After: 1");
  // A request that arrives at once takes none of that memory.
  await expectAccepted(served.url);
});

test("no event overtakes one that waits for Kafka on the same connection", async () => {
  await using served = serveTestApp();
  const { promise: outcome, resolve: settle } = Promise.withResolvers<StoredOutcome>();
  served.delivery.stored = () => outcome;
  using socket = new RawSocket(served.port);
  socket.write(eventRequest("/register_event?durability=stored") + eventRequest());
  await until("the first request in flight", () => served.admission.inFlight === 1);
  expect(served.delivery.taken).toEqual([]);
  settle({ status: "stored", topic: "t", partition: 0, offset: 7 });
  expect(await socket.untilReceived('"accepted"')).toStartWith("HTTP/1.1 201");
});

test.each([
  ["OPTIONS *", 200],
  ["CONNECT localhost:80", 501],
  ["FOO /", 405],
  ["get /", 405],
  ["post /register_event", 405],
  ["FOO /nothing", 404],
])("%s is %i: methods are case-sensitive, and unknown ones are not GET", async (line, status) => {
  await using served = serveTestApp();
  using socket = new RawSocket(served.port);
  socket.write(`${line} HTTP/1.1\r\nHost: test\r\nContent-Length: ${EVENT.length}\r\n\r\n${EVENT}`);
  expect(await socket.untilReceived("\r\n\r\n")).toStartWith(`HTTP/1.1 ${status}`);
  expect(served.delivery.taken).toEqual([]);
});

describe.each(implementations)("on the server of HTTP_SERVER=%s,", (implementation) => {
  const serve = (options: ServeOptions = {}) => serveTestApp({ implementation, ...options });

  test.each([
    ["OPTIONS /register_event", 204],
    ["OPTIONS /nothing", 404],
    ["TRACE /health/live", 405],
  ])("%s is %i", async (line, status) => {
    await using served = serve();
    using socket = new RawSocket(served.port);
    socket.write(`${line} HTTP/1.1\r\nHost: test\r\n\r\n`);
    expect(await socket.untilReceived("\r\n\r\n")).toStartWith(`HTTP/1.1 ${status}`);
  });

  describe("a request whose body is still to come", () => {
    test("is refused before it is sent while no events are accepted", async () => {
      await using served = serve();
      served.delivery.refusal = {
        status: "refused",
        code: "journal_full",
        detail: "d",
        retryAfterSeconds: 5,
      };
      using socket = new RawSocket(served.port);
      socket.write(head("/register_event", "Content-Length: 5000"));
      const response = await socket.untilReceived("journal_full");
      expect(response).toStartWith("HTTP/1.1 503");
      expect(response).toContain("Retry-After: 5");
      expect(served.admission.inFlight).toBe(0);
    });

    test("is in flight until its body breaks off, and is not counted as a response", async () => {
      await using served = serve();
      const socket = new RawSocket(served.port);
      socket.write(`${head("/register_event", "Content-Length: 50")}{"ev`);
      await until("the request in flight", () => served.admission.inFlight === 1);
      socket[Symbol.dispose]();
      await until("no request in flight", () => served.admission.inFlight === 0);
      expect(served.budget.used).toBe(0);
      expect(served.metrics.routes["/register_event"].byStatus).toEqual({});
    });

    test("is accepted in chunks as with a length", async () => {
      await using served = serve();
      using socket = new RawSocket(served.port);
      socket.write(head("/register_event", "Transfer-Encoding: chunked"));
      socket.write(`8\r\n${EVENT.slice(0, 8)}\r\n`);
      socket.write(`${(EVENT.length - 8).toString(16)}\r\n${EVENT.slice(8)}\r\n0\r\n\r\n`);
      await socket.untilReceived('"accepted"');
      expect(served.delivery.events).toMatchObject([{ event_type: "a" }]);
    });
  });

  test.each([
    ["/metrics without a Host", "GET /metrics HTTP/1.0\r\n\r\n", 404],
    ["an unknown path without a Host", "GET /nothing HTTP/1.0\r\n\r\n", 404],
    ["an event without a Host", `POST /register_event HTTP/1.0\r\nContent-Length: 18\r\n\r\n${EVENT}`, 202],
    ["a Host that is a path", "GET /nothing HTTP/1.1\r\nHost: a/metrics?\r\n\r\n", 400],
    ["a Host with no port", "GET /nothing HTTP/1.1\r\nHost: a:99999\r\n\r\n", 400],
    ["a Host that is no URL's", "GET /nothing HTTP/1.1\r\nHost: 1.2.3.4.5\r\n\r\n", 404],
  ])("%s, on the port for callers", async (_, text, status) => {
    await using served = serveTestApp({ implementation, serves: portPaths.public });
    using socket = new RawSocket(served.port);
    socket.write(text);
    expect(await socket.untilReceived("\r\n\r\n")).toStartWith(`HTTP/1.1 ${status}`);
  });

  test("a request that waits for Kafka has its response before the port closes", async () => {
    await using served = serve();
    const { promise: outcome, resolve: settle } = Promise.withResolvers<StoredOutcome>();
    served.delivery.stored = () => outcome;
    using socket = new RawSocket(served.port);
    socket.write(eventRequest("/register_event?durability=stored"));
    await until("the request in flight", () => served.admission.inFlight === 1);
    const cut = await served.server.stop(0, () => settle({ status: "unknown" }));
    expect(await socket.untilClosed()).toContain('"code":"outcome_unknown"');
    expect(cut).toBe(0);
  });

  test("HEAD has the length of the response to GET, and no body", async () => {
    await using served = serve();
    const body = await (await fetch(`${served.url}/`)).text();
    using socket = new RawSocket(served.port);
    socket.write("HEAD / HTTP/1.1\r\nHost: test\r\n\r\n");
    const response = await socket.untilReceived("\r\n\r\n");
    expect(response.toLowerCase()).toContain(`content-length: ${body.length}\r\n`);
    expect(response).toEndWith("\r\n\r\n");
  });

  test("a response that is not ASCII has its length in bytes", async () => {
    await using served = serve();
    const id = "ключ-☃";
    const body = JSON.stringify({ event_type: "a", event_id: id });
    const response = await fetch(`${served.url}/register_event`, { method: "POST", body });
    expect(await response.json()).toEqual({ status: "accepted", event_id: id });
  });

  test("a connection is used again after a refused event", async () => {
    await using served = serve();
    using socket = new RawSocket(served.port);
    socket.write(`${head("/register_event", "Content-Length: 2")}{}`);
    await socket.untilReceived("422");
    socket.write(eventRequest());
    await socket.untilReceived('"accepted"');
  });

  test("an exception has the same response on a socket as without one", async () => {
    await using served = serve();
    const { url, delivery, post, metrics } = served;
    delivery.accept = () => {
      throw new Error("secret reason");
    };
    const headers = { "x-request-id": "one" };
    const response = await fetch(`${url}/register_event`, { method: "POST", body: EVENT, headers });
    const direct = await post("/register_event", EVENT, headers);
    expect([response.status, await response.text()]).toEqual([direct.status, await direct.text()]);
    expect(metrics.routes["/register_event"].byStatus).toEqual({ 500: 2 });
  });

  test("a port in use is named", async () => {
    await using served = serve();
    const { port } = served;
    expect(() => serve({ port })).toThrow(
      `can't listen on 127.0.0.1:${port} (another program listens there: stop it, or choose another PORT)`,
    );
  });
});
