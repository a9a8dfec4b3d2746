// Bodies over real sockets: too large, too many at once, broken off.
import { describe, expect, test } from "bun:test";
import { RawSocket, until } from "@ingest/testkit";
import { LightResponse, ResponseHead } from "./response.ts";
import { post, postHead, TestServer } from "./testing/test-server.ts";

const chunked = postHead("/echo", "Transfer-Encoding: chunked");
const megabyte = `100000\r\n${"x".repeat(1_048_576)}\r\n`;

test("a body that is declared too large is refused before it is sent, and the connection ends", async () => {
  await using server = new TestServer();
  using socket = new RawSocket(server.port);
  socket.write(postHead("/echo", "Content-Length: 99999999999"));
  expect(await socket.untilClosed()).toStartWith("HTTP/1.1 413");
  expect(server.inFlight).toBe(0);
});

test("a guard's refusal is sent before the body", async () => {
  await using server = new TestServer();
  server.refusal = new LightResponse(new ResponseHead(503, {}), "busy");
  using socket = new RawSocket(server.port);
  socket.write(postHead("/echo", "Content-Length: 5000"));
  await socket.untilReceived("busy");
});

test("a chunked body that grows too large is refused, and the connection stays", async () => {
  await using server = new TestServer({ maxBodyBytes: 1_000 });
  using socket = new RawSocket(server.port);
  socket.write(chunked);
  for (let n = 0; n < 30; n++) socket.write(`1f4\r\n${"x".repeat(500)}\r\n`);
  socket.write("0\r\n\r\n");
  expect(await socket.untilReceived("1000 bytes")).toStartWith("HTTP/1.1 413");
  socket.write(post("/echo", "hello"));
  await socket.untilReceived("hello");
  expect(server.budget.used).toBe(0);
  expect(server.inFlight).toBe(0);
});

test("a client that sends its whole body before it reads gets the response, and the connection stays", async () => {
  await using server = new TestServer({ maxBodyBytes: 1_000 });
  using socket = new RawSocket(server.port);
  socket.write(postHead("/echo", "Content-Length: 5000000"));
  socket.write("x".repeat(5_000_000));
  await socket.untilReceived("1000 bytes");
  socket.write(post("/echo", "hello"));
  await socket.untilReceived("hello");
});

test("a body without an end is cut off", async () => {
  await using server = new TestServer({ maxBodyBytes: 1_000 });
  using socket = new RawSocket(server.port);
  socket.write(chunked);
  for (let n = 0; n < 40; n++) socket.write(megabyte);
  // The connection may be reset under the client, which loses the response then.
  await socket.untilClosed();
  await until("the connection to be gone", () => server.server.connections === 0);
  expect(server.budget.used).toBe(0);
});

test("an unguarded path takes a small body, and refuses a large one however it arrives", async () => {
  await using server = new TestServer();
  using socket = new RawSocket(server.port);
  socket.write(post("/other", "x".repeat(60_000)));
  await socket.untilReceived("POST /other");
  socket.write(post("/other", "x".repeat(70_000)));
  await socket.untilReceived("65536 bytes");
  expect(server.rejected).toEqual([413]);
});

test("bodies that are declared and do not come take no memory", async () => {
  await using server = new TestServer({ maxBodyBytes: 50_000, budgetBytes: 100_000 });
  const silent = Array.from({ length: 8 }, () => new RawSocket(server.port));
  for (const socket of silent) socket.write(postHead("/echo", "Content-Length: 50000"));
  await until("all to be admitted", () => server.inFlight === silent.length);
  expect(server.budget.used).toBe(0);
  silent.at(-1)!.write("y".repeat(50_000));
  await silent.at(-1)!.untilReceived("200 OK");
  for (const socket of silent) socket[Symbol.dispose]();
});

test("many bodies of which one byte has come leave the budget to the others", async () => {
  await using server = new TestServer({ budgetBytes: 100_000 });
  const slow = Array.from({ length: 50 }, () => new RawSocket(server.port));
  for (const socket of slow) socket.write(`${postHead("/echo", "Content-Length: 50000")}x`);
  await until("their bodies to begin", () => server.inFlight === slow.length);
  using socket = new RawSocket(server.port);
  socket.write(postHead("/echo", "Content-Length: 20000") + "y".repeat(10_000));
  await until("its body to begin", () => server.inFlight === slow.length + 1);
  socket.write("y".repeat(10_000));
  expect(await socket.untilReceived("yyy")).toStartWith("HTTP/1.1 200");
  for (const each of slow) each[Symbol.dispose]();
});

test("a body that the budget has no room for is refused, and taken later", async () => {
  await using server = new TestServer({ budgetBytes: 100 });
  const first = new RawSocket(server.port);
  first.write(`${postHead("/echo", "Content-Length: 90")}{`);
  await until("the first body to arrive", () => server.budget.used > 0);
  using second = new RawSocket(server.port);
  second.write(`${postHead("/echo", "Content-Length: 90")}{`);
  expect(await second.untilReceived("Too many bytes")).toStartWith("HTTP/1.1 503");
  first[Symbol.dispose]();
  await until("the budget to be free", () => server.budget.used === 0);
  using third = new RawSocket(server.port);
  third.write(`${postHead("/echo", "Content-Length: 90")}{`);
  await until("the third body to arrive", () => server.budget.used > 0);
  third.write("x".repeat(89));
  await third.untilReceived("200 OK");
});

test("a body that breaks off is reported to its guard once, and leaves nothing behind", async () => {
  await using server = new TestServer();
  const socket = new RawSocket(server.port);
  socket.write(`${postHead("/echo", "Content-Length: 50")}{`);
  await until("the request to be admitted", () => server.inFlight > 0);
  socket[Symbol.dispose]();
  await until("the abort", () => server.aborted > 0);
  expect([server.aborted, server.inFlight, server.budget.used]).toEqual([1, 0, 0]);
});

describe("bytes that can't be read yet", () => {
  test("are charged to the budget, and released", async () => {
    await using server = new TestServer();
    using incomplete = new RawSocket(server.port);
    incomplete.write("POST /ech");
    using behind = new RawSocket(server.port);
    behind.write(post("/wait", "first") + post("/echo", "second"));
    const held = "POST /ech".length + post("/echo", "second").length;
    await until("the held bytes", () => server.budget.used === held);
    server.settle();
    await behind.untilReceived("second");
    expect(server.budget.used).toBe("POST /ech".length);
    incomplete[Symbol.dispose]();
    await until("their release", () => server.budget.used === 0);
  });

  test("without room in the budget end the connection with the response before them", async () => {
    await using server = new TestServer({ budgetBytes: 10 });
    using incomplete = new RawSocket(server.port);
    incomplete.write("POST /echo HTTP/1.1\r\n");
    expect(await incomplete.untilClosed()).toStartWith("HTTP/1.1 503");
    using behind = new RawSocket(server.port);
    behind.write(post("/wait", "first") + post("/echo", "second"));
    await until("the first request", () => server.waiting === 1);
    server.settle();
    const received = await behind.untilClosed();
    expect(received).toContain("Connection: close");
    expect(received).toEndWith("first");
    expect(server.handled).toEqual(["first"]);
  });

  test("stay with the client beyond the first of them", async () => {
    await using server = new TestServer({ budgetBytes: 10_000_000 });
    using socket = new RawSocket(server.port);
    const requests = 400;
    socket.write(post("/wait", "first") + post("/echo", "x".repeat(90_000)).repeat(requests));
    await until("the held bytes", () => server.budget.used > 0);
    // Whatever else would be read is read before this.
    using other = new RawSocket(server.port);
    other.write(post("/echo", "other"));
    await other.untilReceived("other");
    expect(server.budget.used).toBeLessThan(2_000_000);
    server.settle();
    await until("all requests", () => server.handled.length === requests + 2);
  });
});
