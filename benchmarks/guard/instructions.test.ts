import { expect, test } from "bun:test";
import { canCount, countDuring, toCount } from "./instructions.ts";

test("parses a count from perf's output, and none from an event that is not supported", () => {
  expect(toCount("123456,,instructions,1000,100.00,,\n")).toBe(123456);
  expect(toCount("<not supported>,,instructions,0,100.00,,\n")).toBeUndefined();
  expect(toCount("# started on Tue\n\n12.34,msec,task-clock,12340000,100.00,1.0,CPUs utilized\n")).toBe(
    12.34,
  );
});

test.skipIf(!canCount("task-clock"))("counts in a process that is already running", async () => {
  const child = Bun.spawn([
    process.execPath,
    "-e",
    "setInterval(() => { for (let i = 0; i < 1e6; i++); }, 1)",
  ]);
  const count = await countDuring("task-clock", child.pid, () => Bun.sleep(300));
  child.kill();
  await child.exited;
  expect(count).toBeGreaterThan(0);
});
