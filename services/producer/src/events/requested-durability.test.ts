import { expect, test } from "bun:test";
import { toRequestedDurability } from "./requested-durability.ts";

test.each([
  [undefined, null, "accepted", false],
  ["durability=durable", null, "durable", false],
  ["a=b&durability=stored&c", null, "stored", false],
  ["other=durability", null, "accepted", false],
  [undefined, "durability=durable", "durable", true],
  [undefined, "respond-async, durability=stored; x=1", "stored", true],
  [undefined, 'wait=10,Durability = "durable"', "durable", true],
  [undefined, "durability=accepted", "accepted", true],
  [undefined, "durability=for-ever", "accepted", false],
  [undefined, "xdurability=stored", "accepted", false],
  ["durability=durable", "durability=stored", "durable", false],
] as const)("?%s with Prefer: %s requests %s", (query, prefer, durability, isPreference) => {
  expect(toRequestedDurability(query, prefer, "accepted")).toEqual({ durability, isPreference });
});

test("the default applies when the request names no durability", () => {
  expect(toRequestedDurability(undefined, null, "durable")).toEqual({
    durability: "durable",
    isPreference: false,
  });
});

test("an unknown durability in the query is rejected", () => {
  expect(toRequestedDurability("durability=for-ever", null, "accepted")).toMatchObject({
    code: "bad_parameter",
  });
});
