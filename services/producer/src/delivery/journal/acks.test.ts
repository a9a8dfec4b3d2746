import { expect, test } from "bun:test";
import { Acks } from "./acks.ts";

test("counts each ordinal once and reports the lowest missing one", () => {
  const acks = new Acks();
  expect([acks.add(1), acks.add(0), acks.add(1), acks.add(5000)]).toEqual([true, true, false, true]);
  expect([acks.count, acks.lowestMissing, acks.has(5000), acks.has(4999)]).toEqual([3, 2, true, false]);
});

test("decodes what it encoded", () => {
  const acks = new Acks();
  for (const ordinal of [0, 1, 2, 9, 700]) acks.add(ordinal);
  const read = Acks.decode(acks.encode());
  expect([read.count, read.lowestMissing, read.has(9), read.has(10), read.has(700)]).toEqual([
    5,
    3,
    true,
    false,
    true,
  ]);
});

test("damaged bytes acknowledge nothing: records are sent twice rather than never", () => {
  const acks = new Acks();
  for (let ordinal = 0; ordinal < 100; ordinal++) acks.add(ordinal);
  const file = acks.encode();
  for (let bit = 0; bit < file.length * 8; bit++) {
    const damaged = Buffer.from(file);
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    expect(Acks.decode(damaged).count).toBe(0);
  }
  for (let length = 0; length < file.length; length++)
    expect(Acks.decode(file.subarray(0, length)).count).toBe(0);
});

test("truncate removes ordinals from the end on", () => {
  const acks = new Acks();
  for (const ordinal of [0, 3, 60]) acks.add(ordinal);
  acks.truncate(3);
  expect([acks.count, acks.has(0), acks.has(3), acks.has(60)]).toEqual([1, true, false, false]);
});
