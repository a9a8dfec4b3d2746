import { expect, test } from "bun:test";
import { PendingRecords } from "./pending.ts";

test("tokens are released in any order, each with its own context", () => {
  const pending = new PendingRecords();
  const tokens = Array.from({ length: 100 }, (_, n) => pending.add("t", n, { n }));
  expect([pending.count, pending.bytes]).toEqual([100, 4_950]);
  const shuffled = tokens
    .map((token, n) => ({ token, n }))
    .sort((a, b) => ((a.n * 37) % 100) - ((b.n * 37) % 100));
  for (const { token, n } of shuffled.slice(0, 60)) expect(pending.release(token)).toEqual({ n });
  const left = shuffled.slice(60);
  expect(pending.tokens().sort()).toEqual(left.map(({ token }) => token).sort());
  expect([pending.count, pending.bytes]).toEqual([40, left.reduce((sum, { n }) => sum + n, 0)]);
});

test("a released token is reused without its former context", () => {
  const pending = new PendingRecords();
  const token = pending.add("a", 1, {});
  pending.release(token);
  expect(pending.add("b", 0, undefined)).toBe(token);
  expect(pending.topicOf(token)).toBe("b");
  expect(pending.release(token)).toBeUndefined();
  expect(pending.tokens()).toEqual([]);
});

test("a resized record counts with its new size", () => {
  const pending = new PendingRecords();
  const token = pending.add("a", 10, undefined);
  pending.resize(token, 7);
  expect(pending.bytes).toBe(7);
  pending.release(token);
  expect(pending.bytes).toBe(0);
});
