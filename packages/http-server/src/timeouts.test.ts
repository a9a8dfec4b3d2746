// Clients that are too slow. Nothing here asserts how long a timeout takes, only that it comes.
import { expect, test } from "bun:test";
import { RawSocket } from "@ingest/testkit";
import { post, postHead, TestServer } from "./testing/test-server.ts";

const DRIP_MS = 20;

/** Sends a byte every now and then until the connection ends. @returns everything received */
async function drip(socket: RawSocket): Promise<string> {
  const timer = setInterval(() => socket.write("x"), DRIP_MS);
  try {
    return await socket.untilClosed();
  } finally {
    clearInterval(timer);
  }
}

test.each([
  ["of declared length", `${postHead("/echo", "Content-Length: 50")}{"ev`],
  ["in chunks", `${postHead("/echo", "Transfer-Encoding: chunked")}2\r\n{"\r\n`],
])("a body %s that does not come is a 408, and the connection ends", async (_, text) => {
  await using server = new TestServer({ bodyTimeoutMs: 100 });
  using socket = new RawSocket(server.port);
  socket.write(text);
  expect(await socket.untilClosed()).toStartWith("HTTP/1.1 408");
  expect([server.inFlight, server.budget.used]).toEqual([0, 0]);
});

test("a body that keeps coming has more time", async () => {
  await using server = new TestServer({ bodyTimeoutMs: 200, minBodyRate: 0 });
  using socket = new RawSocket(server.port);
  socket.write(postHead("/echo", "Content-Length: 40"));
  for (let sent = 0; sent < 40; sent++) {
    socket.write("x");
    await Bun.sleep(DRIP_MS);
  }
  expect(await socket.untilReceived("xxx")).toStartWith("HTTP/1.1 200");
});

test("a body that trickles after a good start has no more time", async () => {
  await using server = new TestServer({ bodyTimeoutMs: 200 });
  using socket = new RawSocket(server.port);
  socket.write(postHead("/echo", "Content-Length: 90000") + "x".repeat(80_000));
  expect(await drip(socket)).toStartWith("HTTP/1.1 408");
});

test("a body that drips has no more time", async () => {
  await using server = new TestServer({ bodyTimeoutMs: 300 });
  using socket = new RawSocket(server.port);
  socket.write(postHead("/echo", "Content-Length: 5000"));
  expect(await drip(socket)).toStartWith("HTTP/1.1 408");
});

test("a head that drips is a 408, and the connection ends", async () => {
  await using server = new TestServer({ headTimeoutMs: 200 });
  using socket = new RawSocket(server.port);
  socket.write("POST /echo HTTP/1.1\r\nHost:");
  expect(await drip(socket)).toStartWith("HTTP/1.1 408");
  expect(server.rejected).toEqual([408]);
});

test("an incomplete head behind a request is a 408 too", async () => {
  await using server = new TestServer({ headTimeoutMs: 200 });
  using socket = new RawSocket(server.port);
  socket.write(`${post("/echo", "hello")}POST /ec`);
  expect(await socket.untilClosed()).toContain("HTTP/1.1 408");
});

test("an idle connection is closed without a response", async () => {
  await using server = new TestServer({ idleTimeoutMs: 100 });
  using silent = new RawSocket(server.port);
  using used = new RawSocket(server.port);
  used.write(post("/echo", "hello"));
  expect(await silent.untilClosed()).toBe("");
  expect((await used.untilClosed()).split("HTTP/1.1")).toHaveLength(2);
});

test("the idle time begins with the end of a refused body, not with its response", async () => {
  const idleTimeoutMs = 400;
  await using server = new TestServer({ idleTimeoutMs, bodyTimeoutMs: 5_000, maxBodyBytes: 10 });
  using socket = new RawSocket(server.port);
  socket.write(postHead("/echo", "Content-Length: 30"));
  for (let sent = 0; sent < 30; sent++) {
    await Bun.sleep(DRIP_MS);
    socket.write("x");
  }
  const sentMs = performance.now();
  expect(await socket.untilClosed()).toStartWith("HTTP/1.1 413");
  expect(performance.now() - sentMs).toBeGreaterThanOrEqual(idleTimeoutMs);
});

test("no idle connection is closed early", async () => {
  const idleTimeoutMs = 400;
  await using server = new TestServer({ idleTimeoutMs });
  const lives = Array.from({ length: 30 }, async (_, index) => {
    await Bun.sleep(index * DRIP_MS);
    using socket = new RawSocket(server.port);
    const openedMs = performance.now();
    await socket.untilClosed();
    return performance.now() - openedMs;
  });
  expect(Math.min(...(await Promise.all(lives)))).toBeGreaterThanOrEqual(idleTimeoutMs);
});
