import { expect, test } from "bun:test";
import { isNestedDeeper } from "./json-depth.ts";

const nested = (depth: number, open = "[", close = "]") => open.repeat(depth) + close.repeat(depth);
test.each([
  [nested(10), 10, false],
  [nested(11), 10, true],
  [nested(11, '{"a":', "}").replace(":}", ":1}"), 10, true],
  [`[${"[],".repeat(100)}[]]`, 10, false],
  [`{"a":[1,"[[[",null,{}],"__proto__":${nested(9)}}`, 10, false],
  [`{"a":[1,"[[[",null,{}],"__proto__":${nested(10)}}`, 10, true],
  [nested(40_000), 1_000, true],
  // JSON.parse keeps the last of several members of one name, and so does everything that reads the value.
  [`{"a":${nested(40_000)},"a":1}`, 2, false],
  [`{"a":1,"a":${nested(40_000)}}`, 2, true],
  ["[]", 1, false],
  ["{}", 0, true],
  ["null", 0, false],
  ['"[["', 0, false],
])("%.40s deeper than %d: %p", (text, maxDepth, isDeeper) => {
  expect(isNestedDeeper(JSON.parse(text), maxDepth)).toBe(isDeeper);
});
