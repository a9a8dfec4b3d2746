import { expect, test } from "bun:test";
import { isNestedDeeper } from "./json-depth.ts";

const nested = (depth: number, open = "[", close = "]") => open.repeat(depth) + close.repeat(depth);
const padding = " ".repeat(400);

test.each([
  [nested(10), 10, false],
  [nested(11), 10, true],
  [nested(11, '{"a":', "}").replace(":}", ":1}"), 10, true],
  [`[${"[],".repeat(100)}[]]`, 10, false],
  [`${padding}${nested(3)}${padding}`, 2, true],
  // Brackets in strings are text, whatever is escaped before the closing quote.
  [`["${"[".repeat(50)}"]`, 10, false],
  [`["\\"${"[".repeat(50)}"]`, 10, false],
  [`["\\\\",${nested(10)}]`, 10, true],
  [`["\\\\\\"${"[".repeat(50)}\\\\",${nested(9)}]`, 10, false],
  [nested(40_000), 1_000, true],
  ["[".repeat(20), 30, false],
  [`"${"x".repeat(100)}`, 2, false],
])("%.40s deeper than %d: %p", (text, maxDepth, isDeeper) => {
  expect(isNestedDeeper(text, maxDepth)).toBe(isDeeper);
});
