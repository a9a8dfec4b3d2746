import { afterAll, expect, test } from "bun:test";
import { statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@ingest/testkit";
import { FileLock, withFileLock } from "./file-lock.ts";

const { path: folder, [Symbol.dispose]: removeFolder } = temporaryFolder("file-lock");
afterAll(removeFolder);

/** A process that holds the lock until it is killed. */
async function holder(path: string): Promise<Disposable & { kill(): Promise<number> }> {
  const script = `
    import { FileLock } from ${JSON.stringify(join(import.meta.dir, "file-lock.ts"))};
    globalThis.lock = FileLock.tryTake(${JSON.stringify(path)});
    console.log(globalThis.lock === undefined ? "held by another" : "taken");
    setInterval(() => {}, 60_000);
  `;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "inherit" });
  const { value } = await child.stdout.getReader().read();
  expect(new TextDecoder().decode(value)).toBe("taken\n");
  const kill = () => {
    child.kill("SIGKILL");
    return child.exited;
  };
  return { kill, [Symbol.dispose]: () => void kill() };
}

test("one at a time, and released after an error", async () => {
  const path = join(folder, "made", "with its folder", "lock");
  let inside = 0;
  let most = 0;
  const enter = () =>
    withFileLock(path, async () => {
      most = Math.max(most, ++inside);
      await Bun.sleep(0);
      inside--;
    });
  await Promise.all([enter(), enter(), enter()]);
  expect(most).toBe(1);
  const failing = withFileLock(path, async () => {
    throw new Error("inside");
  });
  await expect(failing).rejects.toThrow("inside");
  expect(await withFileLock(path, async () => "entered")).toBe("entered");
});

test("another process holds it until it is killed, and a waiting one gets it then", async () => {
  const path = join(folder, "killed");
  using other = await holder(path);
  expect(FileLock.tryTake(path)).toBeUndefined();
  let waits = 0;
  const entering = withFileLock(
    path,
    async () => "entered",
    () => {
      waits++;
      void other.kill();
    },
  );
  expect(await entering).toBe("entered");
  expect(waits).toBe(1);
});

test("the age of the file is no reason to take the lock over", async () => {
  const path = join(folder, "old");
  using _ = await holder(path);
  utimesSync(path, new Date(0), new Date(0));
  expect(FileLock.tryTake(path)).toBeUndefined();
});

test("nothing is written", () => {
  const path = join(folder, "empty");
  FileLock.tryTake(path)!.release();
  expect(statSync(path).size).toBe(0);
});

test("a file that can't be made is an error, not a lock that is held", () => {
  writeFileSync(join(folder, "file"), "");
  expect(() => FileLock.tryTake(join(folder, "file", "lock"))).toThrow();
});
