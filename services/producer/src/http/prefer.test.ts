import { expect, test } from "bun:test";
import { parsePrefer } from "./prefer.ts";

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

test("a hostile header takes no time to speak of", () => {
  for (const piece of [" ;", "; a", '"a', ",;", "a = ", "\\"]) parsePrefer(`a${piece.repeat(8_000)}"`);
});
