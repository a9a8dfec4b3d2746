import { expect, test } from "bun:test";
import { createIdGenerator } from "./uuid-v7.ts";

const fill = (bytes: Uint8Array) => void crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>);

test("an id is a UUID of version 7 with the time in its first 48 bits", () => {
  const id = createIdGenerator(() => 0x0123456789ab, fill)();
  expect(id).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("ids grow, within a millisecond and when the clock goes back", () => {
  let now = 1_700_000_000_000;
  const next = createIdGenerator(() => now, fill);
  const ids: string[] = [];
  for (let i = 0; i < 20_000; i++) {
    if (i % 1_000 === 0) now += i % 2_000 === 0 ? 5 : -3;
    ids.push(next());
  }
  expect(ids).toEqual([...ids].sort());
  expect(new Set(ids).size).toBe(ids.length);
});

test("the counter is spread over rand_a and rand_b, and carries from one to the other", () => {
  const next = createIdGenerator(
    () => 5,
    (bytes) => bytes.fill(0xff),
  );
  expect(next()).toBe("00000000-0005-77ff-bfff-ffffffffffff");
  expect(next()).toBe("00000000-0005-7800-8000-03ffffffffff");
});
