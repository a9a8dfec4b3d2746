import { expect, test } from "bun:test";
import { TokenBucket } from "./token-bucket.ts";

test("gives its burst at once, then what the rate yields", () => {
  const bucket = new TokenBucket(10, 20, 0);
  bucket.take(bucket.whole(0));
  expect(bucket.whole(0)).toBe(0);
  expect(bucket.whole(99)).toBe(0);
  expect(bucket.whole(100)).toBe(1);
  expect(bucket.whole(1_000)).toBe(10);
  expect(bucket.whole(60_000)).toBe(20);
});

test("has the tokens after the time that it names, to the millisecond, at any rate", () => {
  for (const rate of [0.3, 1, 3, 7, 1_000, 33_333.3])
    for (const tokens of [1, 2, 7]) {
      const bucket = new TokenBucket(rate, 7, 0);
      bucket.take(7);
      const waitMs = bucket.waitMs(tokens, 0);
      // Many small steps: rounding errors add up.
      for (let step = 1; step <= 1_000; step++) bucket.available((waitMs * step) / 1_000);
      expect(bucket.whole(waitMs)).toBeGreaterThanOrEqual(tokens);
      expect(bucket.waitMs(tokens, waitMs)).toBe(0);
    }
});

test("a debt is paid before there are tokens again, and no wait is for more than the burst", () => {
  const bucket = new TokenBucket(10, 20, 0);
  bucket.take(50);
  expect(bucket.available(0)).toBe(-30);
  expect(bucket.whole(3_000)).toBe(0);
  expect(bucket.whole(4_000)).toBe(10);
  expect(bucket.waitMs(1_000, 4_000)).toBeCloseTo(1_000, 3);
});

test("a clock that goes back adds nothing and stops nothing", () => {
  const bucket = new TokenBucket(10, 20, 1_000_000);
  bucket.take(20);
  expect(bucket.whole(500_000)).toBe(0);
  expect(bucket.whole(501_000)).toBe(10);
  expect(bucket.whole(400_000)).toBe(10);
});

test("tokens given back never exceed the burst", () => {
  const bucket = new TokenBucket(10, 20, 0);
  bucket.take(5);
  bucket.giveBack(1_000);
  expect(bucket.available(0)).toBe(20);
});

test("another rate keeps what is in the bucket", () => {
  const bucket = new TokenBucket(10, 20, 0);
  bucket.take(15);
  bucket.adjust(100, 200, 1_000);
  expect(bucket.available(1_000)).toBe(15);
  bucket.adjust(1, 2, 1_000);
  expect(bucket.available(1_000)).toBe(2);
});
