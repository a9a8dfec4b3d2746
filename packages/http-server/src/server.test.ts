// The server as a whole: its limit of connections, and its end.
import { describe, expect, test } from "bun:test";
import { RawSocket, until } from "@ingest/testkit";
import { post, postHead, TestServer } from "./testing/test-server.ts";

test("connections beyond the limit get a 503, and a place that becomes free is taken", async () => {
  await using server = new TestServer({ maxConnections: 2 });
  const inside = [new RawSocket(server.port), new RawSocket(server.port)];
  await until("both connections", () => server.server.connections === 2);
  using outside = new RawSocket(server.port);
  outside.write(post("/echo", "hello"));
  expect(await outside.untilClosed()).toStartWith("HTTP/1.1 503");
  expect(server.server.refusedConnections).toBe(1);
  for (const socket of inside) {
    socket.write(post("/echo", "hello"));
    await socket.untilReceived("hello");
  }
  inside[0]![Symbol.dispose]();
  await until("a free place", () => server.server.connections === 1);
  using late = new RawSocket(server.port);
  late.write(post("/echo", "hello"));
  await late.untilReceived("hello");
  inside[1]![Symbol.dispose]();
});

test("a health check is handled at the limit of connections, and nothing else", async () => {
  await using server = new TestServer({
    maxConnections: 2,
    isProbe: ({ path }) => path === "/health",
  });
  using first = new RawSocket(server.port);
  using second = new RawSocket(server.port);
  for (const socket of [first, second]) {
    socket.write(post("/echo", "hello"));
    await socket.untilReceived("hello");
  }
  using probe = new RawSocket(server.port);
  probe.write("GET /health HTTP/1.1\r\nHost: test\r\n\r\n");
  expect(await probe.untilClosed()).toMatch(/^HTTP\/1.1 200.*Connection: close.*GET \/health$/s);
  using silent = new RawSocket(server.port);
  using halfway = new RawSocket(server.port);
  halfway.write(`${postHead("/echo", "Content-Length: 5")}he`);
  for (const socket of [silent, halfway]) expect(await socket.untilClosed()).toStartWith("HTTP/1.1 503");
  expect([server.server.refusedConnections, server.inFlight]).toEqual([2, 0]);
});

test("a stop ends idle connections, and no more are accepted", async () => {
  await using server = new TestServer();
  using idle = new RawSocket(server.port);
  await until("the connection", () => server.server.connections === 1);
  expect(await server.server.stop(1_000, () => {})).toBe(0);
  expect(await idle.untilClosed()).toBe("");
  using late = new RawSocket(server.port);
  expect(await late.untilClosed()).toBe("");
});

test("a stop makes pending handlers respond, and their responses are sent", async () => {
  await using server = new TestServer();
  using socket = new RawSocket(server.port);
  socket.write(post("/wait", "hello"));
  await until("the request to wait", () => server.waiting > 0);
  expect(await server.server.stop(0, () => server.settle())).toBe(0);
  const response = await socket.untilClosed();
  expect(response).toContain("hello");
  expect(response).toContain("Connection: close");
});

test("a stop cuts off what does not respond even then, and counts it", async () => {
  await using server = new TestServer();
  using socket = new RawSocket(server.port);
  socket.write(post("/wait", "hello"));
  await until("the request to wait", () => server.waiting > 0);
  expect(await server.server.stop(0, () => {})).toBe(1);
  expect(await socket.untilClosed()).toBe("");
});

describe("a server that drains", () => {
  test("handles requests on open and on new connections, each with its last response", async () => {
    await using server = new TestServer();
    using open = new RawSocket(server.port);
    open.write(post("/echo", "before"));
    expect(await open.untilReceived("before")).not.toContain("Connection: close");
    server.server.drain();
    open.write(post("/echo", "after"));
    using late = new RawSocket(server.port);
    late.write(post("/echo", "after"));
    for (const socket of [open, late])
      expect(await socket.untilClosed()).toMatch(/Connection: close.*after$/s);
  });

  test("responds to every request that came before the client could learn of it", async () => {
    await using server = new TestServer();
    using socket = new RawSocket(server.port);
    socket.write(post("/wait", "first"));
    await until("the request to wait", () => server.waiting === 1);
    server.server.drain();
    socket.write(post("/echo", "second") + post("/echo", "third"));
    // The bytes have arrived once those of a later connection have.
    using later = new RawSocket(server.port);
    later.write(post("/echo", "later"));
    await later.untilClosed();
    server.settle();
    const received = await socket.untilClosed();
    expect(received).toMatch(/first.*second.*third$/s);
    expect(received.split("Connection: close")).toHaveLength(2);
  });

  test("reads a request to its end that had begun when the port closed", async () => {
    await using server = new TestServer();
    using socket = new RawSocket(server.port);
    const request = post("/echo", "hello");
    socket.write(request.slice(0, 20));
    await until("the connection", () => server.server.connections === 1);
    const stopped = server.server.stop(10_000, () => {});
    using refused = new RawSocket(server.port);
    expect(await refused.untilClosed()).toBe("");
    socket.write(request.slice(20));
    expect(await socket.untilClosed()).toMatch(/Connection: close.*hello$/s);
    expect(await stopped).toBe(0);
  });
});
