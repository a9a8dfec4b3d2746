import { describe, expect, test } from "bun:test";
import { Lanes } from "./lanes.ts";

interface Job {
  key: string | null;
  number: number;
  /** 0: finishes synchronously, without a promise. */
  turns: number;
}

/** Runs each job for its number of microtasks, and records the order. */
function start(limit: number) {
  const done: Job[] = [];
  const running = new Set<Job>();
  let mostAtOnce = 0;
  const lanes = new Lanes<Job>(limit, (job) => {
    if (limit > 1 && job.key !== null) {
      expect([...running].filter((other) => other.key === job.key)).toEqual([]);
    }
    if (job.turns === 0) {
      done.push(job);
      return undefined;
    }
    running.add(job);
    mostAtOnce = Math.max(mostAtOnce, running.size);
    return (async () => {
      for (let i = 0; i < job.turns; i++) await Promise.resolve();
      running.delete(job);
      done.push(job);
    })();
  });
  return { lanes, done, mostAtOnce: () => mostAtOnce };
}

describe("Lanes", () => {
  test.each([1, 2, 3, 16])(
    "with %p concurrently: each item once, the items of a key in order",
    async (limit) => {
      for (let round = 0; round < 30; round++) {
        const { lanes, done, mostAtOnce } = start(limit);
        const jobs: Job[] = Array.from({ length: 200 }, (_, number) => ({
          key: number % 7 === 0 ? null : `key-${(number * 31 + round) % 5}`,
          number,
          turns: (number * 17 + round * 13) % 6,
        }));
        for (const job of jobs) {
          lanes.push(job.key, job);
          if (job.number % 20 === 0) await Promise.resolve();
        }
        await lanes.idle();
        expect(done.length).toBe(jobs.length);
        expect(new Set(done).size).toBe(jobs.length);
        expect(mostAtOnce()).toBeLessThanOrEqual(limit);
        for (const key of new Set(jobs.map((job) => job.key))) {
          if (key === null && limit > 1) continue;
          const order = done.filter((job) => job.key === key).map((job) => job.number);
          expect(order).toEqual([...order].sort((a, b) => a - b));
        }
      }
    },
  );

  test("with a limit of 1 all items keep their order, whatever their keys", async () => {
    const { lanes, done } = start(1);
    for (let number = 0; number < 50; number++)
      lanes.push(number % 3 === 0 ? null : `k${number % 4}`, { key: null, number, turns: number % 3 });
    await lanes.idle();
    expect(done.map((job) => job.number)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  test("a stuck key doesn't hold up other keys", async () => {
    let release = () => {};
    const done: string[] = [];
    const lanes = new Lanes<string>(2, (item) => {
      if (item === "stuck") {
        return new Promise<void>((resolve) => {
          release = resolve;
        }).then(() => void done.push(item));
      }
      done.push(item);
      return undefined;
    });
    lanes.push("a", "stuck");
    lanes.push("a", "behind it");
    for (const item of ["b1", "b2", "b3"]) lanes.push("b", item);
    expect(done).toEqual(["b1", "b2", "b3"]);
    release();
    await lanes.idle();
    expect(done).toEqual(["b1", "b2", "b3", "stuck", "behind it"]);
  });

  test("clear removes items that have not started, and idle waits for the others", async () => {
    const { lanes, done } = start(1);
    for (let number = 0; number < 5; number++) lanes.push("a", { key: "a", number, turns: 3 });
    expect(lanes.clear()).toHaveLength(4);
    expect(lanes.queued).toBe(0);
    await lanes.idle();
    expect(done.map((job) => job.number)).toEqual([0]);
  });
});
