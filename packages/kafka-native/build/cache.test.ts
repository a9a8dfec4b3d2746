import { afterAll, expect, test } from "bun:test";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, until } from "@ingest/testkit";
import { cached } from "./cache.ts";
import { createProgress } from "./progress.ts";

const { path: root, [Symbol.dispose]: removeFolder } = temporaryFolder("kafka-native-cache");
afterAll(removeFolder);

const printed: string[] = [];
const progress = createProgress({ write: (text) => printed.push(text) });

test("builds once for a key, and again for another", async () => {
  let builds = 0;
  const build = async (dir: string) => {
    builds++;
    writeFileSync(join(dir, "result"), String(builds));
  };
  const first = await cached({ root, kind: "once", key: "a" }, progress, build);
  expect(await cached({ root, kind: "once", key: "a" }, progress, build)).toBe(first);
  expect(builds).toBe(1);
  await cached({ root, kind: "once", key: "b" }, progress, build);
  expect(builds).toBe(2);
});

test("a failed build leaves nothing behind, and the next one can begin", async () => {
  const build = async (dir: string) => {
    writeFileSync(join(dir, "half"), "");
    throw new Error("the compiler failed");
  };
  const attempt = cached({ root, kind: "failing", key: "a" }, progress, build);
  expect(attempt).rejects.toThrow("the compiler failed");
  await attempt.catch(() => {});
  expect(existsSync(join(root, "failing", "a"))).toBe(false);
  expect(readdirSync(join(root, "work"))).toEqual([]);
  expect(existsSync(await cached({ root, kind: "failing", key: "a" }, progress, async () => {}))).toBe(true);
});

test("two installs at once build once; the second waits and reports it", async () => {
  let builds = 0;
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const build = async (dir: string) => {
    builds++;
    await gate;
    writeFileSync(join(dir, "result"), "");
  };
  const first = cached({ root, kind: "shared", key: "a" }, progress, build);
  const second = cached({ root, kind: "shared", key: "a" }, progress, build);
  await until("the second to wait", () => printed.some((line) => line.includes("waiting")), 10_000);
  release();
  expect(await second).toBe(await first);
  expect(builds).toBe(1);
});

test("keeps the four most recently used", async () => {
  for (const key of ["1", "2", "3", "4", "5", "6"]) {
    await cached({ root, kind: "many", key }, progress, async () => {});
    await Bun.sleep(5); // Modification times must differ.
  }
  expect(readdirSync(join(root, "many")).sort()).toEqual(["3", "4", "5", "6"]);
});
