import { describe, expect, test } from "bun:test";
import { MalformedResponseError, ResponseReader } from "./response-reader.ts";

const length = "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\nhello";
const chunked =
  "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n3;note=x\r\nhel\r\n2\r\nlo\r\n0\r\nX-After: 1\r\n\r\n";

/** Pushes `text` cut at the given places. @returns the result of each push */
function push(reader: ResponseReader, text: string, ...cuts: number[]): boolean[] {
  const bytes = Buffer.from(text);
  const edges = [0, ...cuts, bytes.length];
  return edges.slice(1).map((end, i) => reader.push(Buffer.from(bytes.subarray(edges[i]!, end))));
}

describe("ResponseReader", () => {
  test.each([
    ["Content-Length", length],
    ["chunked", chunked],
    ["an announcement first", `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${length}`],
    ["100 Continue first", `HTTP/1.1 100 Continue\r\n\r\n${chunked}`],
  ])("%s, cut anywhere into three, is one response", (_, text) => {
    const reader = new ResponseReader();
    for (let a = 1; a < text.length - 1; a++) {
      for (let b = a + 1; b < text.length; b++) {
        expect(push(reader, text, a, b)).toEqual([false, false, true]);
        expect([reader.status, reader.body, reader.keepAlive]).toEqual([202, "hello", true]);
      }
    }
  });

  test("a body in UTF-8 whose characters are cut", () => {
    const body = "Zürich 東京 🎉";
    const bytes = Buffer.byteLength(body);
    for (let abortSentBefore = 1; abortSentBefore < bytes; abortSentBefore++) {
      const reader = new ResponseReader();
      const text = `HTTP/1.1 422 X\r\nContent-Length: ${bytes}\r\n\r\n${body}`;
      push(reader, text, text.length - body.length + abortSentBefore);
      expect(reader.body).toBe(body);
    }
  });

  test("without a length the body lasts until the other side closes", () => {
    const reader = new ResponseReader();
    expect(push(reader, "HTTP/1.1 200 OK\r\n\r\nhel", 21)).toEqual([false, false]);
    expect(reader.push(Buffer.from("lo"))).toBe(false);
    expect(reader.end()).toBe(true);
    expect([reader.body, reader.keepAlive]).toEqual(["hello", false]);
  });

  test.each([
    ["nothing", ""],
    ["half a head", "HTTP/1.1 200 OK\r\nContent-Le"],
    ["half a body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"],
    ["half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"],
  ])("a close after %s ends no response", (_, text) => {
    const reader = new ResponseReader();
    if (text !== "") expect(reader.push(Buffer.from(text))).toBe(false);
    expect(reader.end()).toBe(false);
  });

  test.each([
    ["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true],
    ["HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", false],
    ["HTTP/1.1 200 OK\r\nconnection: Upgrade, CLOSE\r\nContent-Length: 0\r\n\r\n", false],
    ["HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false],
    ["HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", true],
    ["HTTP/1.1 204 No Content\r\n\r\n", true],
    ["HTTP/1.1 202 \r\nContent-Length: 0\r\n\r\n", true],
    ["HTTP/1.1 202\r\nContent-Length: 0\r\n\r\n", true],
  ])("%j leaves the connection open: %p", (text, keepAlive) => {
    const reader = new ResponseReader();
    expect(push(reader, text)).toEqual([true]);
    expect(reader.keepAlive).toBe(keepAlive);
  });

  test.each([
    "garbage\r\n\r\n",
    "HTTP/2 200 OK\r\n\r\n",
    "HTTP/1.1 999 OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcdef",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nmore",
    `${length}more`,
    `HTTP/1.1 200 OK\r\nA: ${"x".repeat(70_000)}`,
  ])("%j is refused", (text) => {
    expect(() => push(new ResponseReader(), text)).toThrow(MalformedResponseError);
  });

  test("heads that differ are each read, also when they alternate", () => {
    const reader = new ResponseReader();
    for (let i = 0; i < 4; i++) {
      expect(push(reader, length)).toEqual([true]);
      expect([reader.status, reader.body]).toEqual([202, "hello"]);
      expect(push(reader, "HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\nno")).toEqual([
        true,
      ]);
      expect([reader.status, reader.body]).toEqual([503, "no"]);
    }
  });
});
