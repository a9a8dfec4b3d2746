// `finish`: the last look at every response, whoever made it.
import { describe, expect, test } from "bun:test";
import { RawSocket } from "@ingest/testkit";
import type { HttpServerOptions } from "./options.ts";
import { LightResponse, ResponseHead } from "./response.ts";
import { post, postHead, TestServer } from "./testing/test-server.ts";

/** Puts the request's path and the client's address into a field of every response. */
const finish: HttpServerOptions["finish"] = (response, request, { remoteAddress }) => {
  const line = `Seen: ${request?.head.path ?? "no head"} from ${remoteAddress}`;
  if (response instanceof LightResponse) {
    const { head, body, closes, bytes } = response;
    return new LightResponse(head, body, closes, bytes, `${line}\r\n`) as typeof response;
  }
  const finished = new Response(response.body, response);
  finished.headers.set("seen", line.slice("Seen: ".length));
  return finished as typeof response;
};

describe("every response is finished", () => {
  test.each([
    ["of a handler", 200, "/echo", post("/echo", "a")],
    ["of a handler that throws", 500, "/throw", post("/throw", "a")],
    ["to a request without a guard", 200, "/path", "GET /path HTTP/1.1\r\nHost: test\r\n\r\n"],
    ["to an exception without a guard", 500, "/throw", "GET /throw HTTP/1.1\r\nHost: test\r\n\r\n"],
    ["to a body that is too large", 413, "/echo", postHead("/echo", "Content-Length: 999999")],
    ["to a body that can't be read", 400, "/echo", `${postHead("/echo", "Transfer-Encoding: chunked")}x\r\n`],
    ["to bytes that are not HTTP", 400, "no head", "NONSENSE\r\n\r\n"],
  ])("%s", async (_, status, path, bytes) => {
    await using server = new TestServer({ finish });
    using socket = new RawSocket(server.port);
    socket.write(bytes);
    const response = (await socket.untilReceived("from 127.0.0.1\r\n")).toLowerCase();
    expect(response).toStartWith(`http/1.1 ${status} `);
    expect(response).toContain(`seen: ${path} from 127.0.0.1\r\n`);
  });

  test("also the one beyond the limit of connections", async () => {
    await using server = new TestServer({ finish, maxConnections: 1 });
    using first = new RawSocket(server.port);
    first.write(post("/echo", "a"));
    await first.untilReceived("200 OK");
    using second = new RawSocket(server.port);
    expect(await second.untilClosed()).toContain("Seen: no head from 127.0.0.1\r\n");
  });
});

test("fields of one response stay when it becomes a Fetch response", () => {
  const response = new LightResponse(
    new ResponseHead(200, { A: "1" }),
    "",
    false,
    0,
    "B: 2\r\nC: x:y\r\n",
  ).toResponse();
  expect([...response.headers]).toEqual([
    ["a", "1"],
    ["b", "2"],
    ["c", "x:y"],
  ]);
});
