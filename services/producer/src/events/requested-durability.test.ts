import { expect, test } from "bun:test";
import { toRequestedDurability } from "./requested-durability.ts";

test.each([
  [undefined, null, "accepted", false],
  ["durability=durable", null, "durable", false],
  ["dur%61bility=stored", null, "stored", false],
  ["&durability=s%74ored&", null, "stored", false],
  ["", null, "accepted", false],
  [undefined, "durability=durable", "durable", true],
  [undefined, "respond-async, durability=stored; x=1", "stored", true],
  [undefined, 'wait=10,Durability = "durable"', "durable", true],
  [undefined, "durability=accepted", "accepted", true],
  [undefined, "durability=stored, durability=accepted", "stored", true],
  [undefined, 'wait=10;durability=stored, note="durability=stored, "', "accepted", false],
  [undefined, 'DURABILITY="st\\ored"', "stored", true],
  [undefined, "respond-async, wait=10", "accepted", false],
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

test.each([
  ["durability=for-ever", null, "durability=for-ever is not valid: use one of accepted, durable, stored."],
  ["durability=", null, "durability= is not valid"],
  ["durability=Stored", null, "durability=Stored is not valid"],
  ["durabilty=stored", null, 'Unknown query parameter "durabilty": the only one is durability.'],
  ["Durability=stored", null, 'Unknown query parameter "Durability"'],
  ["durability=stored&x", null, 'Unknown query parameter "x"'],
  ["dur%zzbility=stored", null, "Unknown query parameter"],
  ["durability=stored&durability=accepted", null, "occurs more than once"],
  [undefined, "durability=for-ever", "Prefer: durability=for-ever is not valid: use one of accepted,"],
  [undefined, 'wait=10, durability="sto red"', "Prefer: durability=sto red is not valid"],
  [undefined, "durability", "Prefer: durability= is not valid"],
  [undefined, "a b, durability=stored", "Prefer is malformed"],
  ["durability=stored", "\x84", "Prefer is malformed"],
  ["durability=stored", "durability=for-ever", "Prefer: durability=for-ever is not valid"],
  [undefined, "durability=", "Prefer: durability= is not valid"],
])("?%s with Prefer: %s is rejected", (query, prefer, detail) => {
  expect(toRequestedDurability(query, prefer, "accepted")).toMatchObject({
    code: "bad_parameter",
    detail: expect.stringContaining(detail),
  });
});
