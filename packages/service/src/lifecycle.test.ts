import { describe, expect, test } from "bun:test";
import pino from "pino";
import { Lifecycle } from "./lifecycle.ts";

function create() {
  const lines: Record<string, unknown>[] = [];
  const log = pino({}, { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  return { lifecycle: new Lifecycle(log), lines };
}

describe("Lifecycle", () => {
  test("starts in order and stops in reverse, one after the other", async () => {
    const { lifecycle } = create();
    const calls: string[] = [];
    for (const name of ["a", "b"]) {
      await lifecycle.start({
        name,
        async start() {
          calls.push(`${name} starts`);
        },
        async stop() {
          calls.push(`${name} stops`);
          await Bun.sleep(1);
          calls.push(`${name} stopped`);
        },
      });
    }
    expect(await lifecycle.stop()).toBe(true);
    expect(calls).toEqual(["a starts", "b starts", "b stops", "b stopped", "a stops", "a stopped"]);
  });

  test("a step whose start fails is not stopped, but the steps before it are", async () => {
    const { lifecycle } = create();
    const stopped: string[] = [];
    await lifecycle.start({ name: "a", stop: () => void stopped.push("a") });
    const failing = lifecycle.start({
      name: "b",
      start: () => {
        throw new Error("no");
      },
      stop: () => void stopped.push("b"),
    });
    expect(failing).rejects.toThrow("no");
    await failing.catch(() => undefined);
    expect(await lifecycle.stop()).toBe(true);
    expect(stopped).toEqual(["a"]);
  });

  test("a stuck step uses up its own budget, and the others still stop", async () => {
    const { lifecycle, lines } = create();
    let isStopped = false;
    await lifecycle.start({
      name: "first",
      stop: () => {
        isStopped = true;
      },
    });
    await lifecycle.start({ name: "stuck", stop: () => new Promise(() => {}), stopBudgetMs: 5 });
    expect(await lifecycle.stop()).toBe(false);
    expect(isStopped).toBe(true);
    expect(lines).toMatchObject([{ step: "stuck", budgetMs: 5, msg: "step did not stop cleanly" }]);
  });

  test("a stop that throws or rejects is logged, and the other steps still stop", async () => {
    const { lifecycle, lines } = create();
    await lifecycle.start({
      name: "at once",
      stop: () => {
        throw new Error("x");
      },
    });
    await lifecycle.start({ name: "later", stop: () => Promise.reject(new Error("y")) });
    expect(await lifecycle.stop()).toBe(false);
    expect(lines.map(({ step }) => step)).toEqual(["later", "at once"]);
  });

  test("a second stop shares the result of the first", async () => {
    const { lifecycle } = create();
    let stops = 0;
    await lifecycle.start({ name: "a", stop: () => void stops++ });
    expect(lifecycle.isStopping).toBe(false);
    const [first, second] = [lifecycle.stop(), lifecycle.stop()];
    expect(lifecycle.isStopping).toBe(true);
    expect(await first).toBe(await second);
    expect(stops).toBe(1);
  });
});
