// The server as a whole: its limit of connections, and its end.
import { expect, test } from "bun:test";
import { RawSocket, until } from "@ingest/testkit";
import { post, TestServer } from "./testing/test-server.ts";

test("connections beyond the limit get a 503, and a place that becomes free is taken", async () => {
  await using server = new TestServer({ maxConnections: 2 });
  const inside = [new RawSocket(server.port), new RawSocket(server.port)];
  await until("both connections", () => server.server.connections === 2);
  using outside = new RawSocket(server.port);
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
