// Request ids, the access log and the client's address, on real sockets.
import { describe, expect, test } from "bun:test";
import { LightResponse, ResponseHead } from "@ingest/http-server";
import { parseSettings } from "@ingest/service";
import { RawSocket, until } from "@ingest/testkit";
import pino from "pino";
import { type ServeOptions, serveTestApp } from "../testing/serve.ts";
import { createEdge } from "./edge.ts";
import { type EdgeSettings, edgeSettings } from "./edge-settings.ts";

const silent = pino({ level: "silent" });
const EVENT = '{"event_type":"a"}';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

interface Line {
  message: string;
  request_id?: string;
  path?: string;
  status?: number;
}

function serve(edge: Partial<EdgeSettings>, options: ServeOptions = {}) {
  const lines: Line[] = [];
  const log = pino(
    { messageKey: "message", errorKey: "error" },
    { write: (text: string) => void lines.push(JSON.parse(text)) },
  );
  const served = serveTestApp({ edge, log, ...options });
  const send = (headers: Record<string, string> = {}, body = EVENT, path = "/register_event") =>
    fetch(served.url + path, {
      method: "POST",
      body,
      headers: { "content-type": "application/json", ...headers },
    });
  return { ...served, lines, send };
}

test("the address of a connection, which the system has to be asked for, is not read without need", () => {
  const peer = {
    get remoteAddress(): string {
      throw new Error("read");
    },
  };
  const defaults = parseSettings(edgeSettings, {});
  const response = new LightResponse(new ResponseHead(202, {}), "");
  for (const settings of [defaults, { ...defaults, ACCESS_LOG: "errors" } as const])
    expect(createEdge(settings, silent).finish(response, undefined, peer)).toBe(response);
});

describe("a request id", () => {
  test.each(["abc", "a".repeat(128), "01a20bb5-5ac9-728d-ad24-0c48e9501183", '!"#/\\~'])(
    "%s is sent back, with success and failure",
    async (id) => {
      await using served = serve({});
      const accepted = await served.send({ "x-request-id": id });
      expect([accepted.status, accepted.headers.get("x-request-id")]).toEqual([202, id]);
      const refused = await served.send({ "x-request-id": id }, "{}");
      expect([refused.status, refused.headers.get("x-request-id")]).toEqual([422, id]);
      const { instance } = (await refused.json()) as { instance: string };
      expect(instance).toBe(`urn:request:${encodeURIComponent(id)}`);
      const health = await fetch(`${served.url}/health/live`, { headers: { "x-request-id": id } });
      expect(health.headers.get("x-request-id")).toBe(id);
    },
  );

  test.each(["a b", "a".repeat(129), "é", ""])("%p is not valid: it is not sent back", async (id) => {
    await using served = serve({});
    using socket = new RawSocket(served.port);
    socket.write(
      `POST /register_event HTTP/1.1\r\nHost: a\r\nX-Request-Id: ${id}\r\nContent-Length: ${EVENT.length}\r\n\r\n${EVENT}`,
    );
    expect(await socket.untilReceived('"accepted"')).not.toContain("X-Request-Id");
  });

  test("is made for problems alone by default, and is the same in the head and in the body", async () => {
    await using served = serve({});
    expect((await served.send()).headers.has("x-request-id")).toBe(false);
    const responses = [
      await served.send({}, "{}"),
      await served.send({}, "{}", "/nothing"),
      await fetch(`${served.url}/register_event`),
    ];
    const ids = responses.map(({ headers }) => headers.get("x-request-id")!);
    expect(responses.map(({ status }) => status)).toEqual([422, 404, 405]);
    for (const [index, response] of responses.entries()) {
      expect(ids[index]).toMatch(UUID);
      expect(await response.json()).toMatchObject({ instance: `urn:request:${ids[index]}` });
    }
    expect(new Set(ids).size).toBe(3);
  });

  test("is made for every request with REQUEST_ID", async () => {
    await using served = serve({ REQUEST_ID: true });
    const ids = await Promise.all(
      Array.from({ length: 3 }, async () => (await served.send()).headers.get("x-request-id")),
    );
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(UUID);
  });

  test("is in the response to bytes that are not HTTP", async () => {
    await using served = serve({});
    using socket = new RawSocket(served.port);
    socket.write("NONSENSE\r\n\r\n");
    const response = await socket.untilClosed();
    const [, id] = /X-Request-Id: (.*)\r/.exec(response)!;
    expect(response).toContain(`"instance":"urn:request:${id}"`);
  });

  test("leads to the line of an exception in the log", async () => {
    await using served = serve({});
    served.delivery.accept = () => {
      throw new Error("secret reason");
    };
    const response = await served.send();
    expect(served.lines).toMatchObject([
      {
        message: "request failed: exception in this service",
        request_id: response.headers.get("x-request-id")!,
      },
    ]);
  });
});

describe("the access log", () => {
  const accessLines = (lines: readonly Line[]) =>
    lines.filter(({ message }) => message === "request completed");

  test("is off by default", async () => {
    await using served = serve({});
    await served.send({}, "{}");
    expect(served.lines).toEqual([]);
  });

  test("has one line for each request", async () => {
    await using served = serve({ ACCESS_LOG: "all" });
    const response = await served.send({ "x-request-id": "one" });
    const bytes = (await response.text()).length;
    await served.send({}, "{}", "/register_event?durability=accepted");
    await fetch(`${served.url}/health/live`);
    const lines = accessLines(served.lines);
    expect(lines).toMatchObject([
      {
        method: "POST",
        path: "/register_event",
        status: 202,
        ms: expect.any(Number),
        bytes,
        request_id: "one",
        client: "127.0.0.1",
      },
      { method: "POST", path: "/register_event", status: 422, request_id: expect.stringMatching(UUID) },
      { method: "GET", path: "/health/live", status: 200, client: "127.0.0.1" },
    ]);
  });

  test("has refused requests alone with errors, whoever refused them", async () => {
    await using served = serve({ ACCESS_LOG: "errors" }, { maxConnections: 2, headTimeoutMs: 100 });
    await served.send();
    await served.send({}, "{}");
    await served.send({}, "{}", "/nothing");
    await served.send({}, "x".repeat(20_000));
    using noHttp = new RawSocket(served.port);
    noHttp.write("NONSENSE\r\n\r\n");
    await noHttp.untilClosed();
    await until("the line", () => served.lines.some(({ status }) => status === 400));
    expect(accessLines(served.lines).map(({ status, path }) => [status, path])).toEqual([
      [422, "/register_event"],
      [404, "/nothing"],
      [413, "/register_event"],
      [400, undefined],
    ]);
  });

  test.each([
    [0, 0],
    [1, 20],
  ])("has a share of %i of the others with sample", async (share, expected) => {
    await using served = serve({ ACCESS_LOG: "sample", ACCESS_LOG_SAMPLE: share });
    for (let count = 0; count < 20; count++) await served.send();
    await served.send({}, "{}");
    const statuses = accessLines(served.lines).map(({ status }) => status);
    expect(statuses).toEqual([...Array(expected).fill(202), 422]);
  });

  test("has no payload, no query, and no header but the id", async () => {
    await using served = serve({ ACCESS_LOG: "all" });
    const secrets = ["payload-secret", "query-secret", "header-secret"];
    const body = '{"event_type":"a","payload":{"a":"payload-secret"}}';
    await served.send({ authorization: "header-secret" }, body, "/register_event?api_key=query-secret");
    const text = JSON.stringify(served.lines);
    expect(served.lines).toHaveLength(1);
    for (const secret of secrets) expect(text).not.toContain(secret);
  });

  test("has the client's address, as a trusted proxy forwards it", async () => {
    await using served = serve({ ACCESS_LOG: "all", TRUSTED_PROXIES: ["loopback"] });
    await served.send({ "x-forwarded-for": "198.51.100.1, 203.0.113.9" });
    await served.send({ forwarded: 'for="[2001:db8::7]:80"' });
    await served.send({ "x-forwarded-for": "nonsense" });
    expect(served.lines).toMatchObject([
      { client: "203.0.113.9" },
      { client: "2001:db8::7" },
      { client: "127.0.0.1" },
    ]);
    const metrics = await (await fetch(`${served.url}/metrics`)).text();
    expect(metrics).toContain("ingest_http_forwarded_ignored_total 1\n");
  });

  test("has the client's address, as the PROXY protocol reports it", async () => {
    await using served = serve({
      ACCESS_LOG: "all",
      TRUSTED_PROXIES: ["loopback"],
      PROXY_PROTOCOL: true,
    });
    using socket = new RawSocket(served.port);
    socket.write("PROXY TCP4 203.0.113.9 10.0.0.1 56789 443\r\nGET /health/live HTTP/1.1\r\nHost: a\r\n\r\n");
    await socket.untilReceived("200 OK");
    expect(served.lines).toMatchObject([{ path: "/health/live", client: "203.0.113.9" }]);
  });
});
