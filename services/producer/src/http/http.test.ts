// What only a real socket shows: bodies that are too large, too slow, broken off, compressed; and HTTP that is none.
import { afterEach, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import type { Problem } from "@ingest/contract";
import type { StoredOutcome } from "../delivery/index.ts";
import { type ServeOptions, serveTestApp } from "../testing/serve.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function serve(options: ServeOptions = {}) {
  const served = serveTestApp(options);
  stops.push(served.stop);
  return served;
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
    const { server, delivery, port, admission } = serve();
    const { promise: outcome, resolve: settle } = Promise.withResolvers<StoredOutcome>();
    delivery.stored = () => outcome;
    const connection = open(port);
    connection.write(head("/register_event?durability=stored", `Content-Length: ${EVENT.length}`) + EVENT);
    while (admission.inFlight === 0) await new Promise(setImmediate);
    const cut = await server.stop(0, () => settle({ status: "unknown" }));
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

  test("while nothing can be taken a body isn't waited for", async () => {
    const { port, delivery, admission } = serve();
    delivery.refusal = { status: "refused", code: "journal_full", retryAfterSeconds: 5 };
    const connection = open(port);
    connection.write(head("/register_event", "Content-Length: 5000"));
    const answer = await connection.untilReceived("journal_full");
    expect(answer).toStartWith("HTTP/1.1 503");
    expect(answer).toContain("Retry-After: 5");
    expect(admission.inFlight).toBe(0);
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

  test("senders who declare much and send nothing hold nothing", async () => {
    const { port, url, admission, budget } = serve({ maxBodyBytes: 50_000, maxInFlightBytes: 100_000 });
    const silent = Array.from({ length: 8 }, () => open(port));
    for (const connection of silent) connection.write(head("/register_events", "Content-Length: 50000"));
    while (admission.inFlight < silent.length) await Bun.sleep(1);
    expect(budget.used).toBe(0);
    await expectGoesOn(url);
    const last = silent.at(-1)!;
    last.write(`[${EVENT}${" ".repeat(50_000 - EVENT.length - 2)}]`);
    await last.untilReceived('"accepted"');
  });

  test("more bytes at once than allowed are refused, and taken later", async () => {
    const { port, url, budget } = serve({ maxInFlightBytes: 100 });
    const [first, second] = [open(port), open(port)];
    first.write(`${head("/register_event", "Content-Length: 90")}{`);
    while (budget.used === 0) await Bun.sleep(1);
    second.write(`${head("/register_event", "Content-Length: 90")}{`);
    const answer = await second.untilReceived("overloaded");
    expect(answer).toStartWith("HTTP/1.1 503");
    expect(answer).toContain("Retry-After: 1");
    // What is there at once is in nobody's way.
    await expectGoesOn(url);
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

  test("a head that doesn't come whole is answered with 408, however it drips", async () => {
    const { port, url, metrics } = serve({ headTimeoutMs: 200 });
    const connection = open(port);
    connection.write("POST /register_event HTTP/1.1\r\nHost:");
    const drip = setInterval(() => connection.write("x"), 20);
    const answer = await connection.untilClosed();
    clearInterval(drip);
    expect(answer).toStartWith("HTTP/1.1 408");
    expect(answer).toContain('"code":"request_timeout"');
    expect(metrics.other).toEqual({ 408: 1 });
    await expectGoesOn(url);
  });

  test("a second head that doesn't come whole has no more time than the first", async () => {
    const { port } = serve({ headTimeoutMs: 200 });
    const connection = open(port);
    connection.write(`${head("/register_event", `Content-Length: ${EVENT.length}`)}${EVENT}POST /re`);
    expect(await connection.untilClosed()).toContain("HTTP/1.1 408");
  });

  test("a connection that says nothing is closed without a word", async () => {
    const { port } = serve({ idleTimeoutMs: 100 });
    const silent = open(port);
    const used = open(port);
    used.write(head("/register_event", `Content-Length: ${EVENT.length}`) + EVENT);
    expect(await silent.untilClosed()).toBe("");
    expect((await used.untilClosed()).split("HTTP/1.1").length).toBe(2);
  });

  test("answers that nobody reads count among the bytes that may be held", async () => {
    const { port, url, server, budget } = serve({ maxBatchEvents: 10_000, maxInFlightBytes: 2_000_000 });
    const lines = "1\n".repeat(10_000);
    const request = `POST /register_events HTTP/1.1\r\nHost: test\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${lines.length}\r\n\r\n${lines}`;
    const deaf = Array.from({ length: 6 }, () => connect(port, "127.0.0.1"));
    for (const socket of deaf) {
      stops.push(async () => void socket.destroy());
      socket.on("error", () => {});
      socket.pause();
      socket.write(request.repeat(40));
    }
    while (server.connections < deaf.length) await Bun.sleep(1);
    // Each answer has a megabyte: those that there is no room for end their connections.
    while (server.connections === deaf.length) await Bun.sleep(1);
    expect(budget.used).toBeLessThanOrEqual(2_000_000);
    await expectGoesOn(url);
  }, 20_000);

  test("who doesn't read his answers is cut off, and nothing is kept for him without end", async () => {
    const { port, url, server } = serve({ idleTimeoutMs: 300 });
    const deaf = connect(port, "127.0.0.1");
    stops.push(async () => void deaf.destroy());
    deaf.on("error", () => {});
    deaf.pause();
    const gone = new Promise((resolve) => deaf.on("close", resolve));
    const request = "GET /openapi/json HTTP/1.1\r\nHost: test\r\n\r\n".repeat(2_000);
    // More than the buffers of two sockets take.
    const write = () => {
      while (!deaf.destroyed && deaf.write(request));
    };
    deaf.on("drain", write);
    write();
    while (server.connections === 0) await Bun.sleep(1);
    while (server.connections > 0) await Bun.sleep(10);
    deaf.resume();
    await gone;
    await expectGoesOn(url);
  }, 20_000);

  test("a body that breaks off costs nothing", async () => {
    const { port, url, budget, admission, metrics } = serve();
    const connection = open(port);
    connection.write(`${head("/register_event", "Content-Length: 50")}{"ev`);
    while (admission.inFlight === 0) await Bun.sleep(1);
    connection.end();
    while (admission.inFlight > 0) await Bun.sleep(1);
    expect(budget.used).toBe(0);
    // Nobody was there to have an answer.
    expect(metrics.routes["/register_event"].byStatus).toEqual({});
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

  test("who wants the connection to end after it has that after a refusal too", async () => {
    const { port } = serve({ maxEventBytes: 100 });
    const connection = open(port);
    connection.write(`${head("/register_event", "Content-Length: 5000\r\nConnection: close")}x`);
    expect(await connection.untilClosed()).toContain("Connection: close");
  });

  test("who asks first, and must not send it, is told so instead", async () => {
    const { port } = serve({ maxEventBytes: 100 });
    const connection = open(port);
    connection.write(head("/register_event", "Content-Length: 5000\r\nExpect: 100-continue"));
    const answer = await connection.untilClosed();
    expect(answer).toStartWith("HTTP/1.1 413");
    expect(answer).not.toContain("100 Continue");
  });

  test("requests sent ahead of an answer that takes its time wait, and are answered behind it", async () => {
    const { port, delivery } = serve();
    const { promise: outcome, resolve: settle } = Promise.withResolvers<StoredOutcome>();
    delivery.stored = () => outcome;
    const connection = open(port);
    const plain = head("/register_event", `Content-Length: ${EVENT.length}`) + EVENT;
    connection.write(plain.replace("/register_event", "/register_event?durability=stored"));
    // More than is held: the rest stays with the sender until then.
    for (let n = 0; n < 2_000; n++) connection.write(plain);
    while (delivery.taken.length > 0) throw new Error("an event overtook the one before it");
    settle({ status: "stored", topic: "t", partition: 0, offset: 7 });
    const answers = await connection.untilReceived('"accepted"', 2_000);
    expect(answers).toStartWith("HTTP/1.1 201");
    expect(delivery.taken).toHaveLength(2_000);
  });

  test("who sends no more after a request still has the answer", async () => {
    const { port } = serve();
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    stops.push(async () => void socket.destroy());
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk;
    });
    socket.end(head("/register_event", `Content-Length: ${EVENT.length}`) + EVENT);
    await new Promise((resolve) => socket.on("end", resolve));
    expect(received).toStartWith("HTTP/1.1 202");
  });

  test("HTTP/1.0 is answered, and the connection ends", async () => {
    const { port } = serve();
    const old = `POST /register_event HTTP/1.0\r\nContent-Length: ${EVENT.length}\r\n`;
    const once = open(port);
    once.write(`${old}\r\n${EVENT}`);
    const answer = await once.untilClosed();
    expect(answer).toStartWith("HTTP/1.1 202");
    expect(answer).toContain("Connection: close");
  });

  test.each([
    ["TRACE /health/live", 405],
    ["FOO /", 405],
    ["get /", 405],
    ["post /register_event", 405],
    ["FOO /nothing", 404],
  ])("%s is %i: a method is what it says", async (line, status) => {
    const { port, delivery } = serve();
    const connection = open(port);
    connection.write(`${line} HTTP/1.1\r\nHost: test\r\nContent-Length: ${EVENT.length}\r\n\r\n${EVENT}`);
    expect(await connection.untilReceived("}")).toStartWith(`HTTP/1.1 ${status}`);
    expect(delivery.taken).toEqual([]);
  });

  test("a HEAD has no body in a refusal either", async () => {
    const { port } = serve();
    const connection = open(port);
    connection.write(`HEAD / HTTP/1.1\r\nHost: test\r\nContent-Length: 70000\r\n\r\n${"x".repeat(70_000)}`);
    connection.write(head("/register_event", `Content-Length: ${EVENT.length}`) + EVENT);
    const answers = await connection.untilReceived('"accepted"');
    expect(answers).toStartWith("HTTP/1.1 413");
    expect(answers.split("\r\n\r\n")[1]).toStartWith("HTTP/1.1 202");
  });

  test("an empty line behind a request is nobody's head", async () => {
    const { port } = serve({ headTimeoutMs: 100, idleTimeoutMs: 300 });
    const connection = open(port);
    connection.write(`${head("/register_event", `Content-Length: ${EVENT.length}`)}${EVENT}\r\n`);
    expect((await connection.untilClosed()).split("HTTP/1.1").length).toBe(2);
  });

  test("a HEAD has the length of what a GET gives, and no body", async () => {
    const { port, url } = serve();
    const body = await (await fetch(`${url}/`)).text();
    const connection = open(port);
    connection.write("HEAD / HTTP/1.1\r\nHost: test\r\n\r\n");
    const answer = await connection.untilReceived("\r\n\r\n");
    expect(answer).toContain(`Content-Length: ${body.length}\r\n`);
    expect(answer).toEndWith("\r\n\r\n");
  });

  test("an answer that isn't ASCII has its length in bytes", async () => {
    const { url } = serve();
    const id = "ключ-☃";
    const body = JSON.stringify({ event_type: "a", event_id: id });
    const response = await fetch(`${url}/register_event`, { method: "POST", body });
    expect(await response.json()).toEqual({ status: "accepted", event_id: id });
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
    expect(() => serve({ port })).toThrow(
      `can't listen on 127.0.0.1:${port} (another program listens there: stop it, or choose another PORT)`,
    );
  });
});

test("a fault of ours is answered on a socket as it is without one", async () => {
  const { url, delivery, post, metrics } = serve();
  delivery.accept = () => {
    throw new Error("secret reason");
  };
  const answer = await fetch(`${url}/register_event`, { method: "POST", body: EVENT });
  const direct = await post("/register_event", EVENT);
  expect([answer.status, await answer.text()]).toEqual([direct.status, await direct.text()]);
  expect(metrics.routes["/register_event"].byStatus).toEqual({ 500: 2 });
});

describe("connections", () => {
  test("beyond the limit are turned away at once, those inside are served, and who comes after one has left gets in", async () => {
    const { port, server, metrics } = serve({ maxConnections: 2 });
    const inside = [open(port), open(port)] as const;
    while (server.connections < 2) await Bun.sleep(1);
    const answer = await open(port).untilClosed();
    expect(answer).toStartWith("HTTP/1.1 503");
    expect(answer).toContain("Retry-After: 1");
    expect(server.refusedConnections).toBe(1);
    for (const connection of inside) {
      connection.write(head("/register_event", `Content-Length: ${EVENT.length}`) + EVENT);
      await connection.untilReceived('"accepted"');
    }
    inside[0].end();
    while (server.connections === 2) await Bun.sleep(1);
    const late = open(port);
    late.write(head("/register_event", `Content-Length: ${EVENT.length}`) + EVENT);
    await late.untilReceived('"accepted"');
    expect(metrics.routes["/register_event"].byStatus).toEqual({ 202: 3 });
  });

  test("that come when the port closes are refused, and those with nothing to do end", async () => {
    const { port, server } = serve();
    const idle = open(port);
    while (server.connections === 0) await Bun.sleep(1);
    expect(await server.stop(1_000, () => {})).toBe(0);
    expect(await idle.untilClosed()).toBe("");
    expect(await open(port).untilClosed()).toBe("");
  });
});
