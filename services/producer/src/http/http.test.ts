// What only a real socket shows: bodies that are too large, too slow, broken off, compressed; and HTTP that is none.
import { afterEach, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import type { Problem } from "@ingest/contract";
import type { StoredOutcome } from "../delivery/index.ts";
import { createTestApp, type TestAppOptions } from "../testing/test-app.ts";
import { closeServer, listen } from "./listen.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function serve(options: TestAppOptions = {}, idleTimeoutSeconds = 10) {
  const parts = createTestApp(options);
  const port = listen(parts.app, { port: 0, host: "127.0.0.1", isShared: false, idleTimeoutSeconds });
  stops.push(async () => {
    await parts.app.server?.stop(true);
  });
  return { ...parts, port, url: `http://127.0.0.1:${port}` };
}

const EVENT = '{"event_type":"a"}';
const head = (path: string, headers: string) =>
  `POST ${path} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n${headers}\r\n\r\n`;

/** A connection that is written to by hand. */
function open(port: number) {
  const socket = connect(port, "127.0.0.1");
  let received = "";
  let isClosed = false;
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const check of waiting) check();
  };
  socket.on("data", (chunk) => {
    received += chunk.toString();
    wake();
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    isClosed = true;
    wake();
  });
  stops.push(async () => {
    socket.destroy();
  });
  const until = (what: string, done: () => boolean) =>
    new Promise<string>((resolve, reject) => {
      const deadline = setTimeout(
        () => reject(new Error(`${what} never came; got ${JSON.stringify(received)}`)),
        10_000,
      );
      const check = () => {
        if (!done()) return;
        clearTimeout(deadline);
        waiting.delete(check);
        resolve(received);
      };
      waiting.add(check);
      check();
    });
  return {
    write: (text: string | Uint8Array) => socket.write(text),
    /** Everything received, once that is in it so many times. */
    untilReceived: (text: string, times = 1) => until(text, () => received.split(text).length > times),
    untilClosed: () => until("the end", () => isClosed),
    end: () => socket.destroy(),
  };
}

async function expectGoesOn(url: string): Promise<void> {
  const response = await fetch(`${url}/register_event`, {
    method: "POST",
    body: EVENT,
    headers: { "content-type": "application/json" },
  });
  expect(response.status).toBe(202);
}

describe("closing", () => {
  // Callers of `stored` wait for longer than a stop lets requests take: their connections were cut.
  test("a request that waits for its answer gets one before the port closes", async () => {
    const { app, delivery, port, admission } = serve();
    const { promise: outcome, resolve: settle } = Promise.withResolvers<StoredOutcome>();
    delivery.stored = () => outcome;
    const connection = open(port);
    connection.write(head("/register_event?durability=stored", `Content-Length: ${EVENT.length}`) + EVENT);
    while (admission.inFlight === 0) await new Promise(setImmediate);
    const cut = await closeServer(app, 0, () => settle({ status: "unknown" }));
    expect(await connection.untilClosed()).toContain('"code":"outcome_unknown"');
    expect(cut).toBe(0);
  });
});

describe("size", () => {
  test("a body that says it is too large is refused before it is sent", async () => {
    const { port, url } = serve();
    const connection = open(port);
    connection.write(head("/register_event", "Content-Length: 99999999999"));
    expect(await connection.untilClosed()).toContain('"code":"too_large"');
    await expectGoesOn(url);
  });

  test("a body of no declared size is refused, and the connection goes on", async () => {
    const { port, budget, delivery } = serve({ maxEventBytes: 1_000 });
    const connection = open(port);
    connection.write(head("/register_event", "Transfer-Encoding: chunked"));
    for (let i = 0; i < 30; i++) connection.write(`1f4\r\n${"x".repeat(500)}\r\n`);
    connection.write("0\r\n\r\n");
    expect(await connection.untilReceived("too_large")).toStartWith("HTTP/1.1 413");
    expect(budget.used).toBe(0);
    connection.write(head("/register_event", `Content-Length: ${EVENT.length}`) + EVENT);
    await connection.untilReceived('"accepted"');
    expect(delivery.taken).toHaveLength(1);
  });

  test("one that never ends is cut off", async () => {
    const { port, url } = serve({ maxEventBytes: 1_000 });
    const connection = open(port);
    connection.write(head("/register_event", "Transfer-Encoding: chunked"));
    const megabyte = `100000\r\n${"x".repeat(1_048_576)}\r\n`;
    for (let i = 0; i < 40; i++) connection.write(megabyte);
    // Who goes on sending may lose the answer with the connection.
    await connection.untilClosed();
    await expectGoesOn(url);
  });

  test("a sender who doesn't look before all is sent has the answer, and the connection goes on", async () => {
    const { port } = serve({ maxEventBytes: 1_000 });
    const connection = open(port);
    connection.write(head("/register_event", "Content-Length: 5000000"));
    connection.write("x".repeat(5_000_000));
    await connection.untilReceived("too_large");
    connection.write(head("/register_event", `Content-Length: ${EVENT.length}`) + EVENT);
    await connection.untilReceived('"accepted"');
  });

  test("a chunked body within the limits is taken", async () => {
    const { port, delivery } = serve();
    const connection = open(port);
    connection.write(head("/register_event", "Transfer-Encoding: chunked"));
    connection.write(`8\r\n${EVENT.slice(0, 8)}\r\n`);
    connection.write(`${(EVENT.length - 8).toString(16)}\r\n${EVENT.slice(8)}\r\n0\r\n\r\n`);
    await connection.untilReceived('"accepted"');
    expect(delivery.events).toMatchObject([{ event_type: "a" }]);
  });

  test("more bytes at once than allowed are refused, and taken later", async () => {
    const { port, url, budget } = serve({ maxInFlightBytes: 100 });
    const first = open(port);
    first.write(`${head("/register_event", "Content-Length: 90")}{`);
    while (budget.used === 0) await Bun.sleep(1);
    const response = await fetch(`${url}/register_event`, { method: "POST", body: EVENT });
    expect(response.status).toBe(503);
    expect(((await response.json()) as Problem).code).toBe("overloaded");
    first.end();
    while (budget.used > 0) await Bun.sleep(1);
    await expectGoesOn(url);
  });
});

describe("time", () => {
  test("a body that doesn't come is answered with 408, and the connection ends", async () => {
    const { port, url, budget, admission } = serve({ bodyTimeoutMs: 100 });
    const known = open(port);
    known.write(`${head("/register_event", "Content-Length: 50")}{"ev`);
    const unknown = open(port);
    unknown.write(`${head("/register_event", "Transfer-Encoding: chunked")}2\r\n{"\r\n`);
    for (const connection of [known, unknown]) {
      const answer = await connection.untilClosed();
      expect(answer).toStartWith("HTTP/1.1 408");
      expect(answer).toContain('"code":"request_timeout"');
    }
    await expectGoesOn(url);
    expect(admission.inFlight).toBe(0);
    expect(budget.used).toBe(0);
  });

  test("a body that keeps coming slowly has no more time than that", async () => {
    const { port } = serve({ bodyTimeoutMs: 300 });
    const connection = open(port);
    connection.write(head("/register_event", "Content-Length: 5000"));
    const drip = setInterval(() => connection.write("x"), 20);
    const answer = await connection.untilClosed();
    clearInterval(drip);
    expect(answer).toContain("408");
  });

  test("a body that breaks off costs nothing", async () => {
    const { port, url, budget, admission } = serve();
    const connection = open(port);
    connection.write(`${head("/register_event", "Content-Length: 50")}{"ev`);
    while (admission.inFlight === 0) await Bun.sleep(1);
    connection.end();
    while (admission.inFlight > 0) await Bun.sleep(1);
    expect(budget.used).toBe(0);
    await expectGoesOn(url);
  });
});

describe("encoding", () => {
  const fast = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
  const encoders = {
    gzip: gzipSync,
    deflate: deflateSync,
    br: (data: Buffer) => brotliCompressSync(data, fast),
    zstd: zstdCompressSync,
  };

  test.each(Object.entries(encoders))("%s is undone", async (encoding, encode) => {
    const { url, delivery } = serve();
    const response = await fetch(`${url}/register_event`, {
      method: "POST",
      body: new Uint8Array(encode(Buffer.from(EVENT))),
      headers: { "content-type": "application/json", "content-encoding": encoding },
    });
    expect(response.status).toBe(202);
    expect(delivery.events).toMatchObject([{ event_type: "a" }]);
  });

  test.each(Object.entries(encoders))("a %s bomb is 413 and is not unpacked", async (encoding, encode) => {
    const { url, budget } = serve({ maxBodyBytes: 100_000 });
    const bomb = new Uint8Array(encode(Buffer.alloc(64 * 1024 * 1024)));
    const before = process.memoryUsage.rss();
    const body = bomb.length > 90_000 ? bomb.subarray(0, 90_000) : bomb;
    const response = await fetch(`${url}/register_events`, {
      method: "POST",
      body,
      headers: { "content-type": "application/json", "content-encoding": encoding },
    });
    expect(response.status).toBe(413);
    expect(((await response.json()) as Problem).detail).toContain("decompressed");
    expect(process.memoryUsage.rss() - before).toBeLessThan(32 * 1024 * 1024);
    expect(budget.used).toBe(0);
    await expectGoesOn(url);
  });

  test.each(Object.keys(encoders))("what is no %s is 400", async (encoding) => {
    const { url } = serve();
    for (const body of [EVENT, ""]) {
      const response = await fetch(`${url}/register_event`, {
        method: "POST",
        body,
        headers: { "content-type": "application/json", "content-encoding": encoding },
      });
      expect(response.status).toBe(400);
    }
  });

  test("gzip that breaks off is 400", async () => {
    const { url } = serve();
    const whole = gzipSync(JSON.stringify({ event_type: "a", payload: { p: "abc".repeat(100) } }));
    const response = await fetch(`${url}/register_event`, {
      method: "POST",
      body: new Uint8Array(whole.subarray(0, whole.length - 12)),
      headers: { "content-type": "application/json", "content-encoding": "gzip" },
    });
    expect(response.status).toBe(400);
    expect(((await response.json()) as Problem).code).toBe("bad_encoding");
  });
});

describe("HTTP", () => {
  test.each([
    ["no HTTP at all", "NONSENSE\r\n\r\n", 400],
    ["a length that is no number", head("/register_event", "Content-Length: abc"), 400],
    ["a negative length", head("/register_event", "Content-Length: -5"), 400],
    ["a length and chunks", head("/register_event", "Content-Length: 5\r\nTransfer-Encoding: chunked"), 400],
    ["a chunk of no size", `${head("/register_event", "Transfer-Encoding: chunked")}zz\r\nabc\r\n`, 400],
    ["no host", "POST /register_event HTTP/1.1\r\nContent-Length: 2\r\n\r\nab", 400],
    ["a head that is too large", head("/register_event", `X-Large: ${"y".repeat(40_000)}`), 431],
  ])("%s is refused and the connection ends", async (_, text, status) => {
    const { port, url } = serve();
    const connection = open(port);
    connection.write(text);
    expect(await connection.untilClosed()).toStartWith(`HTTP/1.1 ${status}`);
    await expectGoesOn(url);
  });

  test("a request cut into single bytes is taken", async () => {
    const { port, delivery } = serve();
    const connection = open(port);
    for (const byte of Buffer.from(head("/register_event", `Content-Length: ${EVENT.length}`) + EVENT)) {
      connection.write(Uint8Array.of(byte));
      await Bun.sleep(0);
    }
    await connection.untilReceived('"accepted"');
    expect(delivery.taken).toHaveLength(1);
  });

  test("requests sent without waiting are answered in turn", async () => {
    const { port, delivery } = serve();
    const connection = open(port);
    const request = head("/register_event", `Content-Length: ${EVENT.length}`) + EVENT;
    connection.write(request.repeat(5));
    await connection.untilReceived('"accepted"', 5);
    expect(delivery.taken).toHaveLength(5);
  });

  test("who asks first whether to send the body is told to", async () => {
    const { port } = serve();
    const connection = open(port);
    connection.write(head("/register_event", `Content-Length: ${EVENT.length}\r\nExpect: 100-continue`));
    await connection.untilReceived("100 Continue");
    connection.write(EVENT);
    await connection.untilReceived('"accepted"');
  });

  test("a connection is used again after a refusal", async () => {
    const { port } = serve();
    const connection = open(port);
    connection.write(`${head("/register_event", "Content-Length: 2")}{}`);
    await connection.untilReceived("422");
    connection.write(head("/register_event", `Content-Length: ${EVENT.length}`) + EVENT);
    await connection.untilReceived('"accepted"');
  });

  test("a port that is taken is said to be", () => {
    const { port } = serve();
    const { app } = createTestApp();
    expect(() => listen(app, { port, host: "127.0.0.1", isShared: false, idleTimeoutSeconds: 10 })).toThrow(
      `can't listen on 127.0.0.1:${port} (another program listens there: stop it, or choose another PORT)`,
    );
  });
});
