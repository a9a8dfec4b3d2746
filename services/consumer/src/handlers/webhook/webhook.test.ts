import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { StoredEvent } from "@ingest/contract";
import type { RecordHeaders } from "@ingest/kafka";
import { temporaryFolder, until } from "@ingest/testkit";
import { type EventContext, PermanentFailure, RetryLater } from "../../handler.ts";
import { createWebhook } from "./webhook.ts";

let respond: (request: Request) => Response | Promise<Response> = () => new Response();
const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => respond(request) });
afterAll(() => server.stop(true));
beforeEach(() => {
  respond = () => new Response();
});

const event: StoredEvent = { event_id: "e 1/é%", event_type: "page_view", timestamp: 1 };
const text = '{"event_id":"e 1/é%","event_type":"page_view","timestamp":1}';

function post(
  timeoutMs = 5_000,
  signal = new AbortController().signal,
  {
    url = server.url.href,
    headers = [],
    tls = {},
  }: { url?: string; headers?: RecordHeaders; tls?: { ca?: string } } = {},
) {
  const context: EventContext = {
    topic: "events",
    partition: 1,
    offset: 2,
    key: null,
    timestampMs: 1,
    headers,
    value: Buffer.from(text),
    text,
    tries: 1,
    deadLetter: async () => {},
    signal,
  };
  return Promise.resolve(createWebhook({ url, timeoutMs, tls }).handle(event, context));
}

describe("webhook", () => {
  test("posts the record's JSON, with its event_id, topic, partition and offset", async () => {
    let got: { body: string; headers: Headers } | undefined;
    respond = async (request) => {
      got = { body: await request.text(), headers: request.headers };
      return new Response(null, { status: 204 });
    };
    await post();
    expect(got?.body).toBe(text);
    expect(Object.fromEntries(got!.headers)).toMatchObject({
      "content-type": "application/json",
      "idempotency-key": "e%201/%C3%A9%25",
      "event-type": "page_view",
      "kafka-topic": "events",
      "kafka-partition": "1",
      "kafka-offset": "2",
    });
  });

  test.each([500, 502, 503, 429, 408, 409, 425])("%p is retried", async (status) => {
    respond = () => new Response("busy", { status });
    const failure = await post().catch((error) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(failure).not.toBeInstanceOf(PermanentFailure);
    expect(failure.message).toContain(`responded ${status}: busy`);
  });

  test.each([400, 401, 404, 410, 422, 301])("%p is a permanent failure", async (status) => {
    respond = () => new Response("no", { status });
    await expect(post()).rejects.toBeInstanceOf(PermanentFailure);
  });

  test("a timeout is retried", async () => {
    respond = () => new Promise(() => {});
    const failure = await post(20).catch((error) => error);
    expect(failure.name).toBe("TimeoutError");
  });

  test("ends when the partition is revoked", async () => {
    respond = () => new Promise(() => {});
    const controller = new AbortController();
    const posting = post(60_000, controller.signal);
    controller.abort();
    await expect(posting).rejects.toThrow();
  });
});

describe("what a webhook sends along", () => {
  async function headersOf(url: string, headers: RecordHeaders = []): Promise<Headers> {
    let got: Headers | undefined;
    respond = (request) => {
      got = request.headers;
      return new Response();
    };
    await post(5_000, undefined, { url, headers });
    return got!;
  }

  test("the record's traceparent, if it is one", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const got = await headersOf(server.url.href, [
      ["traceparent", Buffer.from("older")],
      ["traceparent", Buffer.from(traceparent)],
    ]);
    expect(got.get("traceparent")).toBe(traceparent);
    const none = await headersOf(server.url.href, [["traceparent", Buffer.from("a\r\nb: c")]]);
    expect(none.get("traceparent")).toBeNull();
  });

  test("the URL's user and password as basic authentication; no message shows them or the query", async () => {
    const url = `http://us%40er:pa%20ss@127.0.0.1:${server.port}/x?token=abc`;
    expect((await headersOf(url)).get("authorization")).toBe(`Basic ${btoa("us@er:pa ss")}`);
    respond = () => new Response("no", { status: 400 });
    const failure = await post(5_000, undefined, { url }).catch((error) => error);
    expect(failure.message).toBe(`http://127.0.0.1:${server.port}/x?token=… responded 400: no`);
  });
});

test.each([429, 503, 500])("%p with Retry-After is retried no earlier", async (status) => {
  respond = () => new Response("busy", { status, headers: { "retry-after": "7" } });
  const failure = await post().catch((error) => error);
  expect(failure).toBeInstanceOf(RetryLater);
  expect(failure.afterMs).toBe(7_000);
});

// Fault: the body was read to its end. One that has none took 2.7 GiB of memory.
describe("a response body", () => {
  /** Sends this head, then bytes without end. */
  async function startEndless(head: string, chunk: Buffer) {
    const sent = { bytes: 0, isClosed: false };
    const endless = createServer((socket) => {
      const write = () => {
        while (!socket.destroyed) {
          sent.bytes += chunk.length;
          if (!socket.write(chunk)) return;
        }
      };
      socket.once("data", () => {
        socket.write(`${head}\r\nConnection: close\r\n\r\n`);
        write();
      });
      socket.on("drain", write);
      socket.on("error", () => {});
      socket.on("close", () => {
        sent.isClosed = true;
      });
    });
    await new Promise<void>((resolve) => endless.listen(0, "127.0.0.1", resolve));
    const { port } = endless.address() as { port: number };
    return { sent, url: `http://127.0.0.1:${port}/`, [Symbol.dispose]: () => void endless.close() };
  }
  const MOST_BYTES = 64 * 1024 * 1024;

  test("without an end is not received: 2xx is handled", async () => {
    using server = await startEndless("HTTP/1.1 200 OK", Buffer.alloc(65_536, "x"));
    await post(30_000, undefined, { url: server.url });
    await until("the connection closed", () => server.sent.isClosed);
    expect(server.sent.bytes).toBeLessThan(MOST_BYTES);
  });

  test("without an end is received for its first bytes: 5xx is retried", async () => {
    using server = await startEndless("HTTP/1.1 500 No", Buffer.alloc(65_536, "x"));
    const failure = await post(30_000, undefined, { url: server.url }).catch((error) => error);
    expect(failure.message).toBe(`${server.url} responded 500: ${"x".repeat(200)}`);
    await until("the connection closed", () => server.sent.isClosed);
    expect(server.sent.bytes).toBeLessThan(MOST_BYTES);
  });

  test("that is compressed is not decompressed", async () => {
    const bomb = gzipSync(Buffer.alloc(256 * 1024 * 1024, "x"));
    using server = await startEndless("HTTP/1.1 500 No\r\nContent-Encoding: gzip", bomb);
    const before = process.memoryUsage.rss();
    const failure = await post(30_000, undefined, { url: server.url }).catch((error) => error);
    expect(failure.message).toStartWith(`${server.url} responded 500: `);
    expect(failure.message).not.toContain("xxx");
    await until("the connection closed", () => server.sent.isClosed);
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 1024 * 1024);
  }, 30_000);
});

test("the server's certificate is checked, against the given CA where there is one", async () => {
  using folder = temporaryFolder("webhook-tls");
  const [key, cert] = [join(folder.path, "key.pem"), join(folder.path, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const made = Bun.spawnSync([
    ...["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"],
    ...["-keyout", key, "-out", cert, ...subject],
  ]);
  expect(made.exitCode).toBe(0);
  const tls = { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  const secure = Bun.serve({ port: 0, tls, fetch: () => new Response() });
  const url = `https://localhost:${secure.port}/`;
  const failure = await post(5_000, undefined, { url }).catch((error) => error);
  expect(failure).toBeInstanceOf(Error);
  await post(5_000, undefined, { url, tls: { ca: tls.cert } });
  await secure.stop(true);
});
