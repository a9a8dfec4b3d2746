import { expect, test } from "bun:test";
import { PendingRecords } from "./pending.ts";

test("slots come and go in any order, and each gives its own context back", () => {
  const pending = new PendingRecords();
  const slots = Array.from({ length: 100 }, (_, n) => pending.take("t", n));
  const shuffled = slots
    .map((slot, n) => ({ slot, n }))
    .sort((a, b) => ((a.n * 37) % 100) - ((b.n * 37) % 100));
  for (const { slot, n } of shuffled.slice(0, 60)) expect(pending.release(slot)).toBe(n);
  expect(pending.size).toBe(40);
  const left = shuffled.slice(60).map(({ n }) => n);
  expect(
    pending
      .drain()
      .map(({ context }) => context as number)
      .sort((a, b) => a - b),
  ).toEqual(left.sort((a, b) => a - b));
  expect(pending.size).toBe(0);
});

test("a freed slot is used again and forgets its context", () => {
  const pending = new PendingRecords();
  const slot = pending.take("a", {});
  pending.release(slot);
  expect(slot.context).toBeUndefined();
  expect(pending.take("b", 1)).toBe(slot);
  expect(pending.drain()).toEqual([{ topic: "b", context: 1 }]);
});

test("a drained slot is not used again: the client may still hold it", () => {
  const pending = new PendingRecords();
  const slot = pending.take("a", 1);
  pending.drain();
  expect(pending.take("a", 2)).not.toBe(slot);
});
