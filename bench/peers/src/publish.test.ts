import { expect, test } from "bun:test";
import { replacePart } from "./publish.ts";

const document = "before\n<!-- bench:peers table -->\nold\n<!-- /bench:peers table -->\nafter\n";

test("what stands between the marks is replaced, and nothing else", () => {
  const replaced = replacePart(document, "table", "\n| new |\n");
  expect(replaced).toBe("before\n<!-- bench:peers table -->\n| new |\n<!-- /bench:peers table -->\nafter\n");
  expect(replacePart(replaced, "table", "| new |")).toBe(replaced);
  expect(replacePart(document, "capacity", "x")).toBe(document);
});

test("a mark without an end is named", () => {
  expect(() => replacePart("<!-- bench:peers table -->", "table", "x")).toThrow("/bench:peers table");
});
