import { expect, test } from "bun:test";
import { Arrival, Arrivals } from "./arrivals.ts";

function create(times: number[]) {
  const arrivals = new Arrivals();
  const givenUp: number[] = [];
  const list = times.map((ms) => new Arrival(ms, () => givenUp.push(ms)));
  for (const arrival of list) arrivals.add(arrival);
  return { arrivals, list, givenUp };
}

test("those before a time are given up, oldest first and once", () => {
  const { arrivals, givenUp } = create([1, 2, 3, 4]);
  arrivals.giveUpBefore(3);
  arrivals.giveUpBefore(3);
  expect(givenUp).toEqual([1, 2]);
  arrivals.giveUpBefore(10);
  expect(givenUp).toEqual([1, 2, 3, 4]);
});

test("those that were taken out are not", () => {
  const { arrivals, list, givenUp } = create([1, 2, 3]);
  arrivals.remove(list[1]!);
  arrivals.remove(list[1]!);
  arrivals.remove(list[0]!);
  arrivals.giveUpBefore(10);
  expect(givenUp).toEqual([3]);
});

test("one that is given up may be taken out after", () => {
  const { arrivals, list, givenUp } = create([1, 2]);
  arrivals.giveUpBefore(2);
  arrivals.remove(list[0]!);
  arrivals.giveUpBefore(10);
  expect(givenUp).toEqual([1, 2]);
});
