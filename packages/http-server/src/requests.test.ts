// Requests over real sockets: how they are cut into packets, follow each other, and break HTTP.

import { expect, test } from "bun:test";
import { connect } from "node:net";
import { RawSocket, until } from "@ingest/testkit";
import { post, postHead, TestServer } from "./testing/test-server.ts";

const chunked = postHead("/echo", "Transfer-Encoding: chunked");

test.each([
  ["no HTTP", "NONSENSE\r\n\r\n", 400],
  ["a TLS ClientHello", "\x16\x03\x01", 400],
  ["an empty line of LF alone", "\n", 400],
  ["a target that is too long", `GET /${"a".repeat(9_000)}`, 414],
  ["CONNECT", "CONNECT test:443 HTTP/1.1\r\n", 501],
  ["an invalid Host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400],
  ["a head without CR", "GET / HTTP/1.1\nHost: test\n\n", 400],
  ["a Content-Length that is not a number", postHead("/echo", "Content-Length: abc"), 400],
  ["a negative Content-Length", postHead("/echo", "Content-Length: -5"), 400],
  [
    "both Content-Length and chunks",
    postHead("/echo", "Content-Length: 5", "Transfer-Encoding: chunked"),
    400,
  ],
  ["a chunk without a size", `${chunked}zz\r\nabc\r\n`, 400],
  ["no Host", "POST /echo HTTP/1.1\r\nContent-Length: 2\r\n\r\nab", 400],
  ["a head that is too large", postHead("/echo", `X-Large: ${"y".repeat(40_000)}`), 431],
])("%s is rejected, and the connection ends", async (_, text, status) => {
  await using server = new TestServer();
  using socket = new RawSocket(server.port);
  socket.write(text);
  expect(await socket.untilClosed()).toStartWith(`HTTP/1.1 ${status}`);
  expect(server.handled).toEqual([]);
  expect(server.inFlight).toBe(0);
});

test("a request in single bytes is handled", async () => {
  await using server = new TestServer();
  using socket = new RawSocket(server.port);
  for (const byte of Buffer.from(post("/echo", "hello"))) {
    socket.write(Uint8Array.of(byte));
    await Bun.sleep(0);
  }
  expect(await socket.untilReceived("hello")).toStartWith("HTTP/1.1 200");
});

test("chunks are joined, wherever they are cut", async () => {
  await using server = new TestServer();
  using socket = new RawSocket(server.port);
  socket.write(`${chunked}3\r\nhel\r`);
  await until("the request to be admitted", () => server.inFlight > 0);
  socket.write("\n2\r\nlo\r\n0\r\n\r\n");
  await socket.untilReceived("hello");
  expect(server.budget.used).toBe(0);
});

test("pipelined requests are handled in order", async () => {
  await using server = new TestServer();
  using socket = new RawSocket(server.port);
  const bodies = ["one", "two", "three", "four"];
  socket.write(bodies.map((body) => post("/echo", body)).join(""));
  await socket.untilReceived("four");
  expect(server.handled).toEqual(bodies);
});

test("requests behind a pending response wait for it, and no more are read than are held", async () => {
  await using server = new TestServer();
  using socket = new RawSocket(server.port);
  socket.write(post("/wait", "first"));
  for (let n = 0; n < 2_000; n++) socket.write(post("/echo", "more"));
  await until("the first request to wait", () => server.waiting > 0);
  expect(server.handled).toEqual(["first"]);
  server.settle();
  const responses = await socket.untilReceived("more", 2_000);
  expect(responses.indexOf("first")).toBeLessThan(responses.indexOf("more"));
});

test("a long pipeline leaves other connections their turn", async () => {
  await using server = new TestServer();
  using pipelining = new RawSocket(server.port);
  using other = new RawSocket(server.port);
  await until("the connections", () => server.server.connections === 2);
  pipelining.write(post("/echo", "p").repeat(1_000));
  other.write(post("/echo", "other"));
  await pipelining.untilReceived("200 OK", 1_000);
  expect(server.handled.indexOf("other")).toBeLessThan(999);
  expect(server.budget.used).toBe(0);
});

test("a client that ends its side behind a long pipeline gets every response", async () => {
  await using server = new TestServer();
  using socket = new RawSocket(server.port);
  socket.write(post("/echo", "p").repeat(1_000));
  socket.socket.end();
  expect((await socket.untilClosed()).split("200 OK")).toHaveLength(1_001);
});

test("a client that expects a 100 gets it before it sends the body", async () => {
  await using server = new TestServer();
  using socket = new RawSocket(server.port);
  socket.write(postHead("/echo", "Content-Length: 5", "Expect: 100-continue"));
  await socket.untilReceived("100 Continue");
  socket.write("hello");
  await socket.untilReceived("200 OK");
});

test("a client that expects a 100 gets the refusal instead, and the connection ends", async () => {
  await using server = new TestServer({ maxBodyBytes: 100 });
  using socket = new RawSocket(server.port);
  socket.write(postHead("/echo", "Content-Length: 5000", "Expect: 100-continue"));
  const response = await socket.untilClosed();
  expect(response).toStartWith("HTTP/1.1 413");
  expect(response).not.toContain("100 Continue");
});

test("a client that sends no more after its request has the response", async () => {
  await using server = new TestServer();
  const socket = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk;
  });
  socket.end(post("/wait", "hello"));
  await until("the request to wait", () => server.waiting > 0);
  server.settle();
  await new Promise((resolve) => socket.on("end", resolve));
  expect(received).toStartWith("HTTP/1.1 200");
  socket.destroy();
});

test("Connection: close is honoured, also by a refusal", async () => {
  await using server = new TestServer({ maxBodyBytes: 100 });
  using handled = new RawSocket(server.port);
  handled.write(post("/echo", "hello", "Connection: close"));
  expect(await handled.untilClosed()).toContain("Connection: close");
  using refused = new RawSocket(server.port);
  refused.write(`${postHead("/echo", "Content-Length: 5000", "Connection: close")}x`);
  expect(await refused.untilClosed()).toContain("Connection: close");
});

test("an HTTP/1.0 request gets a response, and the connection ends", async () => {
  await using server = new TestServer();
  using socket = new RawSocket(server.port);
  socket.write("POST /echo HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello");
  const response = await socket.untilClosed();
  expect(response).toStartWith("HTTP/1.1 200");
  expect(response).toContain("Connection: close");
});

test("an HTTP/1.0 connection is kept when the client asks for it, and the response confirms it", async () => {
  await using server = new TestServer();
  using socket = new RawSocket(server.port);
  const request = "POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\n";
  socket.write(`${request}one`);
  expect(await socket.untilReceived("one")).toContain("Connection: keep-alive\r\n");
  socket.write("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
  expect(await socket.untilReceived("GET /")).toContain("Connection: keep-alive\r\n");
  socket.write(`${request.replace("keep-alive", "close")}two`);
  expect(await socket.untilClosed()).toEndWith("two");
});

test.skipIf(Bun.which("ab") === null)("ab -k keeps its connections", async () => {
  await using server = new TestServer();
  const ab = Bun.spawn(["ab", "-k", "-q", "-n", "500", "-c", "10", `http://127.0.0.1:${server.port}/`]);
  const output = await ab.stdout.text();
  expect(output).toMatch(/Complete requests: +500\n/);
  expect(output).toMatch(/Failed requests: +0\n/);
  expect(output).toMatch(/Keep-Alive requests: +500\n/);
});

test.each([
  ["a response", "HEAD / HTTP/1.1\r\nHost: test\r\n\r\n", 200],
  ["a fault", "HEAD /throw HTTP/1.1\r\nHost: test\r\n\r\n", 500],
  ["an invalid head", "HEAD / HTTP/1.1\r\nHost: a b\r\n\r\n", 400],
  ["an invalid head whose end has not come", "\r\nHEAD / HTTP/2.0\r\n", 505],
  ["a late head", "HEAD / HTTP/1.1\r\n", 408],
  ["a body that is too large", "HEAD / HTTP/1.1\r\nHost: test\r\nContent-Length: 99999999\r\n\r\n", 413],
  ["a malformed body", "HEAD / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400],
])("%s to HEAD has no body", async (_, text, status) => {
  await using server = new TestServer({ headTimeoutMs: 100, idleTimeoutMs: 200 });
  using socket = new RawSocket(server.port);
  socket.write(text);
  const response = await socket.untilClosed();
  expect(response).toStartWith(`HTTP/1.1 ${status}`);
  expect(response.indexOf("\r\n\r\n")).toBe(response.length - 4);
});

test("empty lines before a request are ignored, in one piece and cut", async () => {
  await using server = new TestServer();
  for (const pieces of [["\r\n\r\n"], ["\r", "\n\r", "\n"]]) {
    using socket = new RawSocket(server.port);
    for (const piece of pieces) {
      socket.write(piece);
      await Bun.sleep(1);
    }
    socket.write(post("/echo", "hello"));
    expect(await socket.untilReceived("hello")).toStartWith("HTTP/1.1 200");
  }
});

test("an empty line between requests is ignored, and starts no head", async () => {
  await using server = new TestServer({ headTimeoutMs: 100, idleTimeoutMs: 300 });
  using socket = new RawSocket(server.port);
  socket.write(`${post("/echo", "hello")}\r`);
  await socket.untilReceived("hello");
  socket.write("\n");
  expect((await socket.untilClosed()).split("HTTP/1.1")).toHaveLength(2);
});

test("an exception of a handler becomes the fault response, and the connection stays", async () => {
  await using server = new TestServer();
  using socket = new RawSocket(server.port);
  socket.write(`${post("/throw", "")}GET /throw HTTP/1.1\r\nHost: test\r\n\r\n${post("/echo", "hello")}`);
  const responses = await socket.untilReceived("hello");
  expect(responses.split("HTTP/1.1 500")).toHaveLength(3);
  expect(server.faults).toHaveLength(2);
});
