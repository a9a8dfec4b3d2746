// Responses over real sockets: their length and fields, and clients that do not read them.

import { describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { RawSocket, until } from "@ingest/testkit";
import { LightResponse, ResponseHead } from "./response.ts";
import { CLOSE, ResponseEncoder } from "./response-encoder.ts";
import { post, TestServer } from "./testing/test-server.ts";

describe("the encoder", () => {
  const head = new ResponseHead(200, { "X-A": "1" });

  test("renews the Date of a head that it knows", () => {
    const encoder = new ResponseEncoder(new Date("2026-01-31T12:00:00Z"));
    const response = new LightResponse(head, "b");
    expect(encoder.encode(response, "", false)).toBe(
      "HTTP/1.1 200 OK\r\nX-A: 1\r\nDate: Sat, 31 Jan 2026 12:00:00 GMT\r\nContent-Length: 1\r\n\r\nb",
    );
    encoder.setDate(new Date("2026-01-31T12:00:01Z"));
    expect(encoder.encode(response, CLOSE, true)).toBe(
      "HTTP/1.1 200 OK\r\nX-A: 1\r\nDate: Sat, 31 Jan 2026 12:00:01 GMT\r\nConnection: close\r\nContent-Length: 1\r\n\r\n",
    );
  });

  test("gives the length in bytes", () => {
    const encoded = new ResponseEncoder(new Date()).encode(new LightResponse(head, "ключ"), "", false);
    expect(encoded).toBeInstanceOf(Buffer);
    expect(encoded.toString()).toContain("Content-Length: 8\r\n\r\nключ");
  });

  test("leaves the fields about the transfer of a Fetch Response to the server", () => {
    const response = new Response("body", {
      headers: { "content-length": "9", connection: "x", "x-a": "1" },
    });
    const encoded = new ResponseEncoder(new Date())
      .encodeFetchHead(response, "Content-Length: 4\r\n")
      .toString();
    expect(encoded.match(/content-length: \d+/gi)).toEqual(["Content-Length: 4"]);
    expect(encoded).not.toMatch(/connection/i);
    expect(encoded).toContain("x-a: 1\r\n");
  });
});

test("a response to HEAD has no body, and a refusal neither", async () => {
  await using server = new TestServer();
  using socket = new RawSocket(server.port);
  socket.write("HEAD / HTTP/1.1\r\nHost: test\r\n\r\n");
  socket.write(`HEAD / HTTP/1.1\r\nHost: test\r\nContent-Length: 70000\r\n\r\n${"x".repeat(70_000)}`);
  socket.write(post("/echo", "hello"));
  const [first, second, third] = (await socket.untilReceived("hello")).split("\r\n\r\n");
  expect(first).toStartWith("HTTP/1.1 200");
  expect(second).toStartWith("HTTP/1.1 413");
  expect(third).toStartWith("HTTP/1.1 200");
});

describe("a client that does not read", () => {
  /** Asks for large responses and reads none. */
  function openDeaf(port: number, requests: number): Socket {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.pause();
    socket.write("GET /large HTTP/1.1\r\nHost: test\r\n\r\n".repeat(requests));
    return socket;
  }

  test("is cut off after the send timeout, and what it left unread is released", async () => {
    await using server = new TestServer({ sendTimeoutMs: 300, unsentBudgetBytes: 100_000_000 });
    const deaf = openDeaf(server.port, 50);
    await until("unread bytes", () => server.unsentBudget.used > 0);
    await until("the connection to be cut", () => server.server.connections === 0);
    expect(server.unsentBudget.used).toBe(0);
    deaf.destroy();
  });

  test("is cut off at once when the budget has no room for what it leaves unread", async () => {
    await using server = new TestServer({ unsentBudgetBytes: 30_000_000 });
    const deaf = Array.from({ length: 6 }, () => openDeaf(server.port, 1));
    await until(
      "one to be cut",
      () => server.server.connections > 0 && server.server.connections < deaf.length,
    );
    expect(server.unsentBudget.used).toBeLessThanOrEqual(server.unsentBudget.max);
    expect(server.budget.used).toBe(0);
    using socket = new RawSocket(server.port);
    socket.write(post("/echo", "hello"));
    await socket.untilReceived("hello");
    for (const socket of deaf) socket.destroy();
  });

  test("gets the rest once it reads", async () => {
    await using server = new TestServer({ unsentBudgetBytes: 100_000_000 });
    const deaf = openDeaf(server.port, 3);
    await until("unread bytes", () => server.unsentBudget.used > 0);
    let received = 0;
    deaf.on("data", (chunk) => {
      received += chunk.length;
    });
    deaf.resume();
    await until("all three responses", () => received > 3 * 16 * 1024 * 1024);
    expect(server.unsentBudget.used).toBe(0);
    deaf.destroy();
  });

  test("is not cut off while it reads slowly", async () => {
    await using server = new TestServer({ sendTimeoutMs: 200, unsentBudgetBytes: 100_000_000 });
    const slow = openDeaf(server.port, 1);
    let received = 0;
    slow.on("data", (chunk) => {
      received += chunk.length;
      slow.pause();
      setTimeout(() => slow.resume(), 5);
    });
    slow.resume();
    await until("the whole response", () => received > 16 * 1024 * 1024, 20_000);
    slow.destroy();
  }, 30_000);
});
