import { describe, expect, test } from "bun:test";
import { ChunkError, ChunkReader } from "./chunk-reader.ts";

/** Reads the text in pieces of `pieceBytes`. @returns the body, and the text behind it */
function read(text: string, pieceBytes: number): { body: string; rest: string } {
  const bytes = Buffer.from(text, "latin1");
  const reader = new ChunkReader();
  let body = "";
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    const piece = bytes.subarray(from, from + pieceBytes);
    const end = reader.read(piece, 0, (a, b) => {
      body += piece.toString("latin1", a, b);
    });
    if (reader.isDone) return { body, rest: text.slice(from + end) };
    expect(end).toBe(piece.length);
  }
  throw new Error("the body does not end");
}

describe.each([1, 2, 3, 7, 1_000])("in pieces of %i", (pieceBytes) => {
  test.each([
    ["0\r\n\r\n", "", ""],
    ["3\r\nabc\r\n0\r\n\r\nGET", "abc", "GET"],
    ["3\r\nabc\r\nA\r\n0123456789\r\n000\r\n\r\n", "abc0123456789", ""],
    ["2;name=value;x\r\nab\r\n0;y\r\nTrailer: 1\r\nOther: 2\r\n\r\n", "ab", ""],
    ["2\r\n\r\n\r\n0\r\n\r\n", "\r\n", ""],
    ['2;a="b\\";\tc";d\r\nab\r\n0\r\n\r\n', "ab", ""],
    ["2 ; a = b ;c\r\nab\r\n0\r\nX-Empty:\r\n\r\n", "ab", ""],
  ])("%j", (text, body, rest) => expect(read(text, pieceBytes)).toEqual({ body, rest }));

  test.each([
    "zz\r\nabc\r\n",
    "3 \r\nabc\r\n",
    " 3\r\nabc\r\n",
    "3;\r\nabc\r\n",
    "3;a=\r\nabc\r\n",
    '3;a="b\r\nabc\r\n',
    '3;a="b"c\r\nabc\r\n',
    "3;a=b c\r\nabc\r\n",
    "3;a\x01\r\nabc\r\n",
    "3;a\rb\r\nabc\r\n",
    `${`1;a=${"x".repeat(1_000)}\r\nx\r\n`.repeat(9)}0\r\n\r\n`,
    "0\r\nnot a field\r\n\r\n",
    "0\r\nX : 1\r\n\r\n",
    "0\r\nX: 1\r\n folded\r\n\r\n",
    "0\r\nX: a\0\r\n\r\n",
    "0\r\n: 1\r\n\r\n",
    "0\r\nContent-Length: 5\r\n\r\n",
    "0\r\nX: 1\r\ntransfer-encoding: chunked\r\n\r\n",
    "0\r\nHost: h\r\n\r\n",
    "\r\nabc\r\n",
    "-5\r\nabc",
    "0x3\r\nabc",
    "3\nabc\r\n0\r\n\r\n",
    "3\r\nabcd\r\n0\r\n\r\n",
    "3\r\nab\r\n0\r\n\r\n",
    "ffffffffffffff\r\n",
    `3;${"x".repeat(2_000)}\r\nabc\r\n`,
    `0\r\n${"X: y\r\n".repeat(3_000)}\r\n`,
  ])("%.40j is not a chunked body", (text) => expect(() => read(text, pieceBytes)).toThrow(ChunkError));
});

test.each(["z", "3z", "\r", " ", "3\r\nabcd", "3\r\nabc\n", "0000000000000"])(
  "%j is rejected before the end of its line comes",
  (text) => {
    expect(() => read(text, 1)).toThrow(ChunkError);
    expect(() => read(text, 1_000)).toThrow(ChunkError);
  },
);

test.each(["3", "3\r", "3 ", "3;", "3\r\nabc\r", "000000000000"])("%j may become a chunked body", (text) => {
  expect(() => read(text, 1)).toThrow("the body does not end");
});
