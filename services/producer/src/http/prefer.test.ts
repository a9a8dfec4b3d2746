import { expect, test } from "bun:test";
import { Random } from "@ingest/testkit";
import { PREFER_PATTERN, parsePrefer } from "./prefer.ts";

test.each([
  ["durability=stored", { durability: "stored" }],
  ["Durability = Stored", { durability: "Stored" }],
  ["respond-async, wait=10", { "respond-async": "", wait: "10" }],
  ['respond-async;a=b; c ;;d="e,f" , wait=10', { "respond-async": "", wait: "10" }],
  ["wait=10;durability=stored", { wait: "10" }],
  ['note="a, durability=stored"', { note: "a, durability=stored" }],
  ['note="a \\"b\\" \\\\", x', { note: 'a "b" \\', x: "" }],
  ["foo; bar", { foo: "" }],
  ["foo=", { foo: "" }],
  ['foo=""', { foo: "" }],
  ["wait=1, WAIT=2", { wait: "1" }],
  [", ,wait=1,,", { wait: "1" }],
  ["", {}],
])("%s", (header, preferences) => {
  expect(Object.fromEntries(parsePrefer(header)!)).toEqual(preferences);
});

test.each(["=1", "a b", 'a="b', "a=b=c", 'a="b"c', "a;=b", "a/b", "a=(b)", "a@b, durability=stored"])(
  "%s is malformed",
  (header) => expect(parsePrefer(header)).toBeUndefined(),
);

test("the documented pattern matches what is not malformed, but escapes", () => {
  const pattern = new RegExp(PREFER_PATTERN);
  const random = new Random(1);
  const pieces = ["a", "b", "=", ";", ",", " ", "\t", '"', "!", "/", "[", "@"];
  for (let count = 0; count < 20_000; count++) {
    const header = Array.from({ length: random.below(9) }, () => random.pick(pieces))
      .join("")
      .trim();
    expect({ header, matches: pattern.test(header) }).toEqual({
      header,
      matches: parsePrefer(header) !== undefined,
    });
  }
});

test("a hostile header takes no time to speak of", () => {
  for (const piece of [" ;", "; a", '"a', ",;", "a = ", "\\"]) parsePrefer(`a${piece.repeat(8_000)}"`);
});
