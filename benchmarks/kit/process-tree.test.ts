import { describe, expect, test } from "bun:test";
import { cpuMicros, parseStat, peakMemoryMiB, treeOf } from "./process-tree.ts";

test("a command's name with blanks and brackets does not shift the fields", () => {
  const text = `42 (a ) b (c)) S 7 42 42 0 -1 4194304 100 0 0 0 11 22 33 44 20 0 3 0 5000 0 0`;
  expect(parseStat(text)).toEqual({ pid: 42, parent: 7, ownMicros: 330_000, reapedMicros: 770_000 });
});

test("a tree holds descendants whatever the order of their ids", () => {
  const process = (pid: number, parent: number) => ({ pid, parent, ownMicros: 0, reapedMicros: 0 });
  const all = [process(3, 9), process(4, 3), process(9, 5), process(5, 1), process(6, 1)];
  expect(treeOf(5, all).map(({ pid }) => pid)).toEqual([3, 4, 9, 5]);
});

describe.skipIf(process.platform !== "linux")("of a real process", () => {
  test("counts a child's time while it runs and after it was waited for", async () => {
    const spin =
      'const end = Date.now() + 200; while (Date.now() < end); process.stdout.write("x"); process.stdin.resume()';
    const before = cpuMicros(process.pid);
    const child = Bun.spawn([process.execPath, "-e", spin], { stdin: "pipe", stdout: "pipe" });
    for await (const _ of child.stdout) break;
    expect(cpuMicros(process.pid) - before).toBeGreaterThan(50_000);
    expect(peakMemoryMiB(child.pid)).toBeGreaterThan(1);
    child.stdin.end();
    child.kill();
    await child.exited;
    expect(cpuMicros(process.pid) - before).toBeGreaterThan(50_000);
  });
});
