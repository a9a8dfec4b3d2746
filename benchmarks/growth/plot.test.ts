import { expect, test } from "bun:test";
import { short, ticks, toSvg } from "./plot.ts";

const mark = (x: number, median: number) => ({ x, median, min: median * 0.9, max: median * 1.1 });

test("every mark is drawn inside of the picture, in both colour schemes", () => {
  const panels = [
    { title: "bytes an event", marks: [mark(100, 10), mark(1_000, 14), mark(100_000, 300)] },
    { title: "partitions", marks: [mark(6, 12)] },
  ];
  const svg = toSvg(panels);
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  expect(svg.match(/<circle/g)).toHaveLength(4);
  for (const [, x, y] of svg.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)) {
    expect(Number(x)).toBeLessThan(300);
    expect(Number(y)).toBeLessThan(230);
  }
  expect(svg).toContain("prefers-color-scheme: dark");
});

test("ticks are round and within the range", () => {
  expect(ticks(9, 450)).toEqual([10, 20, 50, 100, 200]);
  expect(ticks(0.8, 800)).toEqual([1, 3, 10, 30, 100, 300]);
  expect(ticks(9, 30)).toEqual([10, 15, 20, 30]);
});

test("numbers are short", () => {
  expect([100_000, 1_234, 12.345, 0.1234].map(short)).toEqual(["100k", "1.23k", "12.3", "0.123"]);
});
