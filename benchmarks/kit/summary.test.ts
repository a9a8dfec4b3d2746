import { expect, test } from "bun:test";
import { summarize, summarizeRatio } from "./summary.ts";

test("the median of an even count is the middle of the two in the middle", () => {
  expect(summarize([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4, count: 4 });
  expect(summarize([9, 1, 2])).toEqual({ median: 2, min: 1, max: 9, count: 3 });
  expect(summarize([])).toBeUndefined();
});

test("a ratio is taken within a round", () => {
  const ours = new Map([
    [0, 10],
    [1, 30],
    [2, 7],
  ]);
  const theirs = new Map([
    [0, 20],
    [1, 60],
  ]);
  expect(summarizeRatio(ours, theirs)).toEqual({ median: 0.5, min: 0.5, max: 0.5, count: 2 });
});
