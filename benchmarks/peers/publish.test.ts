import { expect, test } from "bun:test";
import { replaceSection } from "./publish.ts";

const document = "before\n<!-- bench:peers table -->\nold\n<!-- /bench:peers table -->\nafter\n";

test("what stands between the marks is replaced, and nothing else", () => {
  const replaced = replaceSection(document, "table", "\n| new |\n");
  expect(replaced).toBe("before\n<!-- bench:peers table -->\n| new |\n<!-- /bench:peers table -->\nafter\n");
  expect(replaceSection(replaced, "table", "| new |")).toBe(replaced);
  expect(replaceSection(document, "capacity", "x")).toBe(document);
});

test("a mark without an end is named", () => {
  expect(() => replaceSection("<!-- bench:peers table -->", "table", "x")).toThrow("/bench:peers table");
});
