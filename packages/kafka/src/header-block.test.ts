import { expect, test } from "bun:test";
import { headerBlockBytes, readHeaderBlock, toHeaderBlock } from "./header-block.ts";

test("headers are read back in their order, repeated names, null and empty values included", () => {
  const block = toHeaderBlock([
    ["a", "naïve ☃"],
    ["ключ", Buffer.from([0, 255])],
    ["a", null],
    ["", ""],
  ]);
  expect(readHeaderBlock(block)).toEqual([
    ["a", Buffer.from("naïve ☃")],
    ["ключ", Buffer.from([0, 255])],
    ["a", null],
    ["", Buffer.alloc(0)],
  ]);
  expect(headerBlockBytes([])).toBe(0);
  expect(readHeaderBlock(Buffer.alloc(0))).toEqual([]);
});

test("the layout is the one of journals on disk", () => {
  expect(
    toHeaderBlock([
      ["id", "x"],
      ["n", null],
    ]).toString("hex"),
  ).toBe("0200000001000000696478" + "01000000ffffffff6e");
});
