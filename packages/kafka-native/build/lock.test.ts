import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withLock } from "./lock.ts";

const dir = mkdtempSync(join(tmpdir(), "kafka-native-lock-"));
afterAll(() => rmSync(dir, { recursive: true }));

test("one at a time, and none after an error", async () => {
  const path = join(dir, "one");
  let inside = 0;
  let most = 0;
  const enter = () =>
    withLock(
      path,
      () => {},
      async () => {
        most = Math.max(most, ++inside);
        await Bun.sleep(5);
        inside--;
      },
    );
  await Promise.all([enter(), enter(), enter()]);
  expect(most).toBe(1);
  const failing = withLock(
    path,
    () => {},
    async () => {
      throw new Error("inside");
    },
  );
  expect(failing).rejects.toThrow("inside");
  await failing.catch(() => {});
  expect(existsSync(path)).toBe(false);
});

test("takes over from a holder that has died", async () => {
  const path = join(dir, "dead");
  const { pid, exited } = Bun.spawn(["true"]);
  await exited;
  writeFileSync(path, `${process.env.HOSTNAME || "local"} ${pid}`);
  expect(
    await withLock(
      path,
      () => {},
      async () => "entered",
    ),
  ).toBe("entered");
});

test("takes over from a holder elsewhere that has not been heard of for long", async () => {
  const path = join(dir, "elsewhere");
  writeFileSync(path, "another-host 1");
  const longAgo = new Date(Date.now() - 3_600_000);
  utimesSync(path, longAgo, longAgo);
  expect(
    await withLock(
      path,
      () => {},
      async () => "entered",
    ),
  ).toBe("entered");
});
