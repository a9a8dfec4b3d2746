// Fetch responses over real sockets: bodies that are at hand, and streams with slow, deaf and vanishing clients.
import { describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { RawSocket, until } from "@ingest/testkit";
import { TestServer } from "./testing/test-server.ts";

const get = (version = "1.1", method = "GET") => `${method} /stream HTTP/${version}\r\nHost: test\r\n\r\n`;

/** A stream whose pieces the test gives. */
class Source {
  pulls = 0;
  isCancelled = false;
  #controller!: ReadableStreamDefaultController<string | Uint8Array>;
  readonly stream = new ReadableStream<string | Uint8Array>(
    {
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => {
        this.pulls++;
      },
      cancel: () => {
        this.isCancelled = true;
      },
    },
    { highWaterMark: 0 },
  );

  give(piece: string | Uint8Array): void {
    this.#controller.enqueue(piece);
  }
  end(): void {
    this.#controller.close();
  }
  fail(): void {
    this.#controller.error(new Error("source failed"));
  }
}

describe("a body that is at hand has a Content-Length", () => {
  test.each([
    ["a text", () => new Response("abc"), "abc"],
    ["bytes", () => new Response(new Uint8Array([97, 98, 99])), "abc"],
    ["JSON", () => Response.json({ a: 1 }), '{"a":1}'],
    ["a text beyond one piece", () => new Response("x".repeat(100_000)), "x".repeat(100_000)],
    ["no body", () => new Response(null), ""],
    ["a wrong length", () => new Response("abc", { headers: { "content-length": "9" } }), "abc"],
  ])("%s", async (_, respond, body) => {
    await using server = new TestServer({ respond });
    using socket = new RawSocket(server.port);
    socket.write(get());
    const response = await socket.untilReceived(`\r\n\r\n${body}`);
    expect(response.match(/content-length: \d+/gi)).toEqual([`Content-Length: ${body.length}`]);
    expect(response).not.toMatch(/transfer-encoding/i);
  });

  test.each([204, 304])("%i has none", async (status) => {
    await using server = new TestServer({ respond: () => new Response(null, { status }) });
    using socket = new RawSocket(server.port);
    socket.write(get());
    expect(await socket.untilReceived("\r\n\r\n")).not.toMatch(/content-length|transfer-encoding/i);
  });
});

describe("a stream", () => {
  test("is sent piece by piece, in chunks, and the connection is used again", async () => {
    const source = new Source();
    await using server = new TestServer({ respond: () => new Response(source.stream) });
    using socket = new RawSocket(server.port);
    socket.write(get());
    await until("a pull", () => source.pulls > 0);
    source.give("one");
    const first = await socket.untilReceived("3\r\none\r\n");
    expect(first).toContain("Transfer-Encoding: chunked\r\n");
    source.give(new Uint8Array(0));
    source.give(Buffer.from("twotwotwotwotwotwo"));
    await socket.untilReceived("12\r\ntwotwotwotwotwotwo\r\n");
    source.end();
    await socket.untilReceived("0\r\n\r\n");
    socket.write("GET /other HTTP/1.1\r\nHost: test\r\n\r\n");
    await socket.untilReceived("GET /other");
  });

  test("to HTTP/1.0 ends with the connection, and has no chunks", async () => {
    const source = new Source();
    await using server = new TestServer({ respond: () => new Response(source.stream) });
    using socket = new RawSocket(server.port);
    socket.write("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    await until("a pull", () => source.pulls > 0);
    source.give("one");
    source.give("two");
    source.end();
    const response = await socket.untilClosed();
    expect(response).toEndWith("\r\n\r\nonetwo");
    expect(response).toContain("Connection: close");
  });

  test("with a Content-Length keeps it", async () => {
    const source = new Source();
    const headers = { "content-length": "6" };
    await using server = new TestServer({ respond: () => new Response(source.stream, { headers }) });
    using socket = new RawSocket(server.port);
    socket.write(get());
    await until("a pull", () => source.pulls > 0);
    source.give("one");
    source.give("two");
    source.end();
    const response = await socket.untilReceived("\r\n\r\nonetwo");
    expect(response).toContain("Content-Length: 6\r\n");
    expect(response).not.toMatch(/transfer-encoding/i);
  });

  test.each([
    ["fails", (source: Source) => source.fail()],
    ["ends before its Content-Length", (source: Source) => source.end()],
    ["exceeds its Content-Length", (source: Source) => source.give("x".repeat(10))],
  ])("that %s cuts the connection", async (_, breakOff) => {
    const source = new Source();
    const headers = { "content-length": "6" };
    await using server = new TestServer({ respond: () => new Response(source.stream, { headers }) });
    using socket = new RawSocket(server.port);
    socket.write(get());
    await until("a pull", () => source.pulls > 0);
    source.give("one");
    await socket.untilReceived("one");
    breakOff(source);
    expect(await socket.untilClosed()).toEndWith("one");
    expect(server.server.connections).toBe(0);
  });

  test("that fails without a Content-Length cuts the connection before the last chunk", async () => {
    const source = new Source();
    await using server = new TestServer({ respond: () => new Response(source.stream) });
    using socket = new RawSocket(server.port);
    socket.write(get());
    await until("a pull", () => source.pulls > 0);
    source.give("one");
    await socket.untilReceived("one");
    source.fail();
    expect(await socket.untilClosed()).toEndWith("3\r\none\r\n");
    expect(server.faults).toEqual([new Error("source failed")]);
  });

  test("that fails before anything is sent is a fault", async () => {
    const stream = new ReadableStream({
      pull: (controller) => controller.error(new Error("source failed")),
    });
    await using server = new TestServer({ respond: () => new Response(stream) });
    using socket = new RawSocket(server.port);
    socket.write(get());
    expect(await socket.untilReceived("fault")).toStartWith("HTTP/1.1 500");
  });

  test("is cancelled without being sent for HEAD", async () => {
    const source = new Source();
    await using server = new TestServer({ respond: () => new Response(source.stream) });
    using socket = new RawSocket(server.port);
    socket.write(get("1.1", "HEAD"));
    const response = await socket.untilReceived("\r\n\r\n");
    expect(response).toEndWith("\r\n\r\n");
    expect(response).not.toMatch(/content-length/i);
    await until("the cancellation", () => source.isCancelled);
    socket.write("GET /other HTTP/1.1\r\nHost: test\r\n\r\n");
    await socket.untilReceived("GET /other");
  });

  test("is read only while its client reads", async () => {
    const piece = new Uint8Array(64 * 1024);
    let pulls = 0;
    const respond = () =>
      new Response(
        new ReadableStream(
          {
            async pull(controller) {
              await new Promise(setImmediate);
              pulls++;
              if (pulls > 400) controller.close();
              else controller.enqueue(piece);
            },
          },
          { highWaterMark: 0 },
        ),
      );
    await using server = new TestServer({ respond });
    const socket = connect(server.port, "127.0.0.1");
    socket.pause();
    socket.write(get());
    await until("a full socket", () => server.unsentBudget.used > 0);
    // One piece may be on its way when the socket is full: no more are asked for.
    const before = pulls;
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    expect(pulls - before).toBeLessThanOrEqual(1);
    expect(server.unsentBudget.used).toBeLessThanOrEqual(2 * (piece.length + 16));
    let received = 0;
    socket.on("data", (chunk) => {
      received += chunk.length;
    });
    socket.resume();
    await until("the rest", () => received > 400 * piece.length);
    expect(server.unsentBudget.used).toBe(0);
    socket.destroy();
  });

  test("may give pieces that are larger than what may be unsent", async () => {
    const source = new Source();
    await using server = new TestServer({
      respond: () => new Response(source.stream),
      unsentBudgetBytes: 1_000_000,
    });
    const socket = connect(server.port, "127.0.0.1");
    socket.pause();
    socket.write(get());
    await until("a pull", () => source.pulls > 0);
    const bytes = 16 * 1024 * 1024;
    source.give(new Uint8Array(bytes));
    await until("a full socket", () => server.unsentBudget.used > 0);
    let received = 0;
    socket.on("data", (chunk) => {
      received += chunk.length;
    });
    socket.resume();
    await until("everything", () => received > bytes);
    source.end();
    await until("the end", () => server.unsentBudget.used === 0);
    socket.destroy();
  });

  test("is cancelled when its client vanishes, and so is the request", async () => {
    const source = new Source();
    let signal: AbortSignal | undefined;
    await using server = new TestServer({
      respond: (request) => {
        signal = request.signal;
        return new Response(source.stream);
      },
    });
    const socket = new RawSocket(server.port);
    socket.write(get());
    await until("a pull", () => source.pulls > 0);
    source.give("one");
    await socket.untilReceived("one");
    expect(signal?.aborted).toBe(false);
    socket[Symbol.dispose]();
    await until("the cancellation", () => source.isCancelled && signal?.aborted === true);
    expect(server.server.connections).toBe(0);
    expect(server.faults).toEqual([]);
  });

  test("of events is ended by a stop, and another stream is waited for", async () => {
    const [events, other] = [new Source(), new Source()];
    const sources = [events, other];
    const types = ["text/event-stream", "text/plain"];
    await using server = new TestServer({
      respond: () => new Response(sources.shift()!.stream, { headers: { "content-type": types.shift()! } }),
    });
    using first = new RawSocket(server.port);
    first.write(get());
    await until("a pull", () => events.pulls > 0);
    using second = new RawSocket(server.port);
    second.write(get());
    await until("a pull", () => other.pulls > 0);
    const stopped = server.server.stop(10_000, () => {});
    expect(await first.untilClosed()).toEndWith("0\r\n\r\n");
    expect([events.isCancelled, other.isCancelled]).toEqual([true, false]);
    other.give("rest");
    other.end();
    expect(await second.untilClosed()).toEndWith("rest\r\n0\r\n\r\n");
    expect(await stopped).toBe(0);
  });
});

test("a request whose client goes before the response is aborted", async () => {
  let signal: AbortSignal | undefined;
  await using server = new TestServer({
    respond: (request) => {
      signal = request.signal;
      return new Promise<Response>(() => {});
    },
  });
  const socket = new RawSocket(server.port);
  socket.write(get());
  await until("the request", () => signal !== undefined);
  socket.socket.resetAndDestroy();
  await until("the abort", () => signal?.aborted === true);
});
