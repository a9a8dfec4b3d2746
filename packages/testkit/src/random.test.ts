import { expect, test } from "bun:test";
import { Random } from "./random.ts";

const draw = (random: Random, count: number) => Array.from({ length: count }, () => random.next());

test("the same seed yields the same numbers, another seed yields others", () => {
  expect(draw(new Random(7), 100)).toEqual(draw(new Random(7), 100));
  expect(draw(new Random(7), 100)).not.toEqual(draw(new Random(8), 100));
});

test("a fork does not depend on how much its parent draws later", () => {
  const [one, other] = [new Random(7), new Random(7)];
  const forks = [one.fork(), other.fork()] as const;
  draw(one, 10);
  expect(draw(forks[0], 10)).toEqual(draw(forks[1], 10));
});

test("numbers stay within their bounds, and every choice is drawn", () => {
  const random = new Random(1);
  const drawn = new Set(Array.from({ length: 1_000 }, () => random.below(5)));
  expect([...drawn].sort()).toEqual([0, 1, 2, 3, 4]);
  for (let i = 0; i < 1_000; i++) {
    expect(random.between(2, 3)).toBeWithin(2, 3);
    expect(random.weighted([{ weight: 0 }, { weight: 1 }])).toEqual({ weight: 1 });
  }
});
