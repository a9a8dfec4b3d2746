import { expect, test } from "bun:test";
import { Random } from "@ingest/testkit";
import { elementBounds } from "./json-elements.ts";

function elements(json: string): string[] {
  const bytes = Buffer.from(json);
  const bounds = elementBounds(bytes, bytes.indexOf("["), 100);
  if (typeof bounds === "string") throw new Error(bounds);
  return Array.from({ length: bounds.length / 2 }, (_, i) =>
    bytes.toString("utf8", bounds[i * 2], bounds[i * 2 + 1]),
  );
}

test.each([
  ["[]", []],
  ["[1]", ["1"]],
  ["[ 1 , 2 ]", ["1", "2"]],
  ['\n[\n\t{"a":1},\r\n {"b":[1,2,{"c":"]"}]} ]\n', ['{"a":1}', '{"b":[1,2,{"c":"]"}]}']],
  ['["a\\"],[", "\\\\", "", null, true]', ['"a\\"],["', '"\\\\"', '""', "null", "true"]],
  ['[{"ключ":"знач,ение"},"☃"]', ['{"ключ":"знач,ение"}', '"☃"']],
  ["[12345678901234567890, -1.5e3]", ["12345678901234567890", "-1.5e3"]],
])("cuts %j", (json, expected) => {
  expect(elements(json)).toEqual(expected);
});

test.each([
  "[",
  "[1",
  "[1,",
  "[1,2",
  "[1}",
  "[1}]",
  "[1]]",
  "[1] 2",
  "[],",
  '["',
  '["\\',
  "[{]",
  '[{"a":[1}',
])("%j is malformed", (json) => {
  expect(elementBounds(Buffer.from(json), 0, 100)).toBe("malformed");
});

test("stops at the first element above the limit, whatever follows", () => {
  expect(elementBounds(Buffer.from("[1,2]"), 0, 2)).toHaveLength(4);
  expect(elementBounds(Buffer.from("[1,2,3"), 0, 2)).toBe("too many");
});

test("finds the elements of any array that JSON.stringify writes, with and without white space", () => {
  const random = new Random(7);
  const texts = ['"', "\\", "]", "}", ",", "a\nb", "é☃😀", "", '\\\\"', "[{"];
  const value = (depth: number): unknown => {
    switch (random.below(depth > 3 ? 4 : 6)) {
      case 0:
        return random.below(1000) - 500;
      case 1:
        return texts[random.below(texts.length)];
      case 2:
        return null;
      case 3:
        return random.below(2) === 0;
      case 4:
        return Array.from({ length: random.below(4) }, () => value(depth + 1));
      default:
        return Object.fromEntries(
          Array.from({ length: random.below(4) }, (_, i) => [
            texts[random.below(texts.length)] + String(i),
            value(depth + 1),
          ]),
        );
    }
  };
  for (let round = 0; round < 300; round++) {
    const list = Array.from({ length: random.below(6) }, () => value(0));
    for (const space of [0, 2, "\t"]) {
      const found = elements(JSON.stringify(list, null, space));
      expect(found.map((text) => JSON.parse(text) as unknown)).toEqual(list);
    }
  }
});
