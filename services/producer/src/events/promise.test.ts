import { expect, test } from "bun:test";
import { toPromise } from "./promise.ts";

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
] as const)("?%s with Prefer: %s asks for %s", (query, prefer, name, isPreference) => {
  expect(toPromise(query, prefer, "accepted")).toEqual({ name, isPreference });
});

test("who asks for nothing gets the default", () => {
  expect(toPromise(undefined, null, "durable")).toEqual({ name: "durable", isPreference: false });
});

test("an address that asks for what there isn't is wrong", () => {
  expect(toPromise("durability=for-ever", null, "accepted")).toMatchObject({ code: "bad_parameter" });
});
