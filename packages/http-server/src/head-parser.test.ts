import { describe, expect, test } from "bun:test";
import { HeadCache } from "./head-cache.ts";
import { parseHead } from "./head-parser.ts";
import { HttpRejection } from "./rejection.ts";
import type { RequestHead } from "./request-head.ts";

const lines = (...all: string[]) => all.join("\r\n");
const post = (...fields: string[]) => lines("POST /e?a=1 HTTP/1.1", "Host: h", ...fields);

function read(text: string): RequestHead {
  const head = parseHead(text);
  if (head instanceof HttpRejection) throw new Error(head.detail);
  return head;
}

describe("a head", () => {
  test("has a path, fields by name and the length of the body", () => {
    const head = read(post("Content-Length: 12", "X-A:  one ", "x-a: two", "X-Empty:"));
    expect(head).toMatchObject({
      method: "POST",
      target: "/e?a=1",
      path: "/e",
      url: "http://h/e?a=1",
      bodyLength: 12,
      keepAlive: true,
      expectsContinue: false,
    });
    expect(head.get("x-a")).toBe("one, two");
    expect(head.get("x-empty")).toBe("");
    expect(read(post("Cookie: a=1", "Cookie: b=2")).get("cookie")).toBe("a=1; b=2");
    expect(head.get("x-none")).toBeNull();
  });

  test.each([
    [post(), true],
    [post("Connection: close"), false],
    [post("Connection: x, Close"), false],
    ["GET / HTTP/1.0", false],
    [lines("GET / HTTP/1.0", "Connection: Keep-Alive"), true],
    [lines("GET / HTTP/1.0", "Connection: keep-alive, close"), false],
    [lines("GET / HTTP/1.0", "Connection: keep-alive-ish"), false],
  ])("%j: keep-alive is %p", (text, keepAlive) => expect(read(text).keepAlive).toBe(keepAlive));

  test.each([
    ["GET http://other:80/a?b HTTP/1.1", "/a?b"],
    ["GET https://other HTTP/1.1", "/"],
    ["GET HTTP://[::1]:80/a HTTP/1.1", "/a"],
    ["GET http://other?b HTTP/1.1", "/?b"],
    ["OPTIONS * HTTP/1.1", "*"],
    ["GET /a..b/.c/...?../x HTTP/1.1", "/a..b/.c/...?../x"],
  ])("the target of %s is %s", (line, target) => expect(read(lines(line, "Host: h")).target).toBe(target));

  test.each(["a%20b", "1.2.3.4.5", "[v1.a]", ""])(
    "a Host of %j, which is none to a URL parser, makes no invalid URL",
    (host) => {
      expect(read(lines("GET /x HTTP/1.1", `Host: ${host}`)).url).toBe("http://localhost/x");
    },
  );

  test("in absolute form has the authority of its target instead of the Host field", () => {
    expect(read(lines("GET http://a:81/x HTTP/1.1", "Host: b")).get("host")).toBe("a:81");
    expect(read(lines("GET http://a/x HTTP/1.1", "Host:")).get("host")).toBe("a");
  });

  test.each([
    ["", "not_http"],
    [lines("GET / HTTP/1.1", "Host: a b"), "not_http"],
    [lines("GET / HTTP/1.1", "Host: a/b"), "not_http"],
    [lines("GET / HTTP/1.1", "Host: user@a"), "not_http"],
    [lines("GET / HTTP/1.1", "Host: a:b"), "not_http"],
    [lines("GET / HTTP/1.0", "Host: a/b"), "not_http"],
    [lines("GET http://a/x HTTP/1.1"), "not_http"],
    [lines("GET http://a/x HTTP/1.1", "Host: a/b"), "not_http"],
    [lines("GET http://:80/x HTTP/1.1", "Host: a"), "not_http"],
    [lines("GET http:///x HTTP/1.1", "Host: a"), "not_http"],
    [lines("GET http://user@a/x HTTP/1.1", "Host: a"), "not_http"],
    [lines("GET ftp://a/x HTTP/1.1", "Host: a"), "not_http"],
    [lines("CONNECT a:443 HTTP/1.1", "Host: a:443"), "not_implemented"],
    [lines(`GET /${"a".repeat(8_192)} HTTP/1.1`, "Host: h"), "uri_too_long"],
    ["GET / HTTP/1.1", "not_http"],
    [lines("GET  / HTTP/1.1", "Host: h"), "not_http"],
    [lines("GET /a b HTTP/1.1", "Host: h"), "not_http"],
    [lines("GET a HTTP/1.1", "Host: h"), "not_http"],
    [lines("GET * HTTP/1.1", "Host: h"), "not_http"],
    [lines("GET /\xe9 HTTP/1.1", "Host: h"), "not_http"],
    [lines("G(T / HTTP/1.1", "Host: h"), "not_http"],
    [lines("GET /a/../b HTTP/1.1", "Host: h"), "not_http"],
    [lines("GET /%2e%2E/b HTTP/1.1", "Host: h"), "not_http"],
    [lines("GET /a/.?b HTTP/1.1", "Host: h"), "not_http"],
    [lines("GET /a\\b HTTP/1.1", "Host: h"), "not_http"],
    [lines("GET /a#b HTTP/1.1", "Host: h"), "not_http"],
    [lines("GET / HTTP/2.0", "Host: h"), "version_not_supported"],
    [lines("GET / HTTP/1.1", "Host: h", "Host: g"), "not_http"],
    [post("X : 1"), "not_http"],
    [post("X"), "not_http"],
    [post(": 1"), "not_http"],
    [post("X: 1", " folded: 2"), "not_http"],
    [post("X: a\0b"), "not_http"],
    [post("X: a\rb"), "not_http"],
    [post("X: a\nY: b"), "not_http"],
    [post("Content-Length: -1"), "not_http"],
    [post("Content-Length: 1e3"), "not_http"],
    [post("Content-Length: 0x10"), "not_http"],
    [post("Content-Length: +5"), "not_http"],
    [post("Content-Length:"), "not_http"],
    [post("Content-Length: 5, 5"), "not_http"],
    [post("Content-Length: 5", "Content-Length: 5"), "not_http"],
    [post("Content-Length: 9999999999999999"), "not_http"],
    [post("Content-Length: 5", "Transfer-Encoding: chunked"), "not_http"],
    [post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), "not_http"],
    [post("Transfer-Encoding: gzip, chunked"), "not_implemented"],
    [post("Transfer-Encoding: identity"), "not_implemented"],
    // JavaScript's trim strips it, other HTTP parsers do not.
    [post("Transfer-Encoding: \xa0chunked"), "not_implemented"],
    [post("Content-Length: 5\xa0"), "not_http"],
    [lines("POST / HTTP/1.0", "Transfer-Encoding: chunked"), "not_http"],
    [post("Expect: the-unexpected"), "expectation_failed"],
    [post(...Array.from({ length: 100 }, (_, n) => `X-${n}: 1`)), "head_too_large"],
  ])("%j is rejected, and the connection ends", (text, code) => {
    const head = parseHead(text);
    expect(head).toBeInstanceOf(HttpRejection);
    expect(head).toMatchObject({ code, closes: true });
  });
});

test("a known head is not parsed again, and a rejected one is not kept", () => {
  const heads = new HeadCache();
  const first = heads.parse(post("X: 1"));
  expect(heads.parse(post("X: 1"))).toBe(first);
  // However many others come in between.
  for (let n = 0; n < 3_000; n++) heads.parse(post(`X-N: ${n}`));
  expect(heads.parse(post("X: 1"))).toEqual(first);
  expect(heads.parse("nonsense")).not.toBe(heads.parse("nonsense"));
});

test("a Connection full of blanks takes no longer than any other field", () => {
  const text = post(`Connection: x${" ".repeat(15_000)}x , close`);
  // In quadratic time these take minutes.
  for (let n = 0; n < 200; n++) expect(read(text).keepAlive).toBe(false);
});
