// Heads in bytes: wherever they are cut, the outcome is the same, and what can't become a head is refused at once.
import { describe, expect, test } from "bun:test";
import { HeadReader, hasHeadBegun } from "./head-reader.ts";
import { HttpRejection } from "./rejection.ts";

/** @returns the code of the rejection, the target of the head, or undefined while more has to come */
function read(text: string, checkedBytes = 0): string | undefined {
  const result = new HeadReader().read(Buffer.from(text, "latin1"), 0, checkedBytes);
  return result instanceof HttpRejection ? result.code : result?.target;
}

/** The outcome when the bytes come one by one: the first that shows. */
function readBytewise(text: string): string | undefined {
  for (let length = 1; length <= text.length; length++) {
    const outcome = read(text.slice(0, length), length - 1);
    if (outcome !== undefined) return outcome;
  }
  return undefined;
}

const longTarget = `/${"a".repeat(8 * 1024 - 1)}`;

test.each([
  ["a TLS ClientHello", "\x16", "not_http"],
  ["garbage", "\0", "not_http"],
  ["a space", " ", "not_http"],
  ["a bare LF", "\n", "not_http"],
  ["a CR alone", "\rG", "not_http"],
  ["a line that ends with LF", "GET / HTTP/1.1\n", "not_http"],
  ["a line without a target", "GET  ", "not_http"],
  ["a control character in the target", "GET /\x01", "not_http"],
  ["a method with a separator", "GE(", "not_http"],
  ["a method without end", "A".repeat(33), "not_implemented"],
  ["CONNECT", "CONNECT h:443 HTTP/1.1\r\n", "not_implemented"],
  ["another protocol", "GET / I", "not_http"],
  ["HTTP/0.9", "GET /\r\n", "not_http"],
  ["HTTP/2", "PRI * HTTP/2.0\r\n", "version_not_supported"],
  ["a version in letters", "GET / HTTP/a", "not_http"],
  ["a version with two digits", "GET / HTTP/1.11", "not_http"],
  ["a target that is too long", `GET ${longTarget}a`, "uri_too_long"],
  ["a target without a slash", "GET a HTTP/1.1\r\n", "not_http"],
  ["a bare LF behind a field", "GET / HTTP/1.1\r\nHost: h\n", "not_http"],
  ["a NUL in a field", "GET / HTTP/1.1\r\nHost: h\0", "not_http"],
  ["a head without end", `GET / HTTP/1.1\r\nX: ${"x".repeat(16 * 1024)}`, "head_too_large"],
])("%s is refused as soon as it shows", (_, text, code) => {
  expect(read(text)).toBe(code);
  expect(read(`${text}\r\n\r\n`)).toBe(code);
  // Nothing is refused before it must be.
  if (code !== "head_too_large") expect(read(text.slice(0, -1))).toBeUndefined();
});

describe.each([
  "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
  "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
  `GET ${longTarget} HTTP/1.1\r\nHost: h\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: h\r\nX: ${"x".repeat(16 * 1024 - 28)}\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: h\r\nX: ${"x".repeat(16 * 1024 - 27)}\r\n\r\n`,
  `GET / HTTP/1.1\r\n${"X: 1\r\n".repeat(101)}Host: h\r\n\r\n`,
  `GET / HTTP/1.1\r\n${"X: 1\r\n".repeat(101)}Y: a\nb\r\n\r\n`,
  "GET / HTTP/2.0\r\nX: a\0\r\n\r\n",
  "GET / HTTP/2.0\rX\r\n\r\n",
  "CONNECT h:443 HTTP/1.1\r\nbad field\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: h h\r\nX: a\rb\r\n\r\n",
])("%.30j", (text) => {
  test("in single bytes has the outcome that it has in one piece", () => {
    expect(read(text)).toBeDefined();
    expect(readBytewise(text)).toBe(read(text)!);
  });
});

test("no head has begun with an empty line, or with its CR alone", () => {
  expect(["", "\r", "\r\n", "G", "\rG"].map((text) => hasHeadBegun(Buffer.from(text), 0))).toEqual([
    false,
    false,
    true,
    true,
    true,
  ]);
  expect(read("\r\n\r\n\r")).toBeUndefined();
});
