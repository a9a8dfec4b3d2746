import { expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mountSmallDisk, temporaryFolder } from "@ingest/testkit";
import pino from "pino";
import { DAY_MS, DailyUsage } from "./usage.ts";
import { UsageFile } from "./usage-file.ts";

const TODAY = 20_000;
const TODAY_MS = TODAY * DAY_MS + 3_600_000;

function openIn(folder: string) {
  const messages: string[] = [];
  const log = pino(
    { base: null },
    { write: (line: string) => void messages.push((JSON.parse(line) as { msg: string }).msg) },
  );
  return { file: new UsageFile(join(folder, "quotas.sqlite"), log), messages };
}

function openUsage(nowMs: number, file: UsageFile): DailyUsage {
  const daily = new DailyUsage(nowMs, file);
  daily.open();
  return daily;
}

test("what was used today is there after a restart, and yesterday's is not counted", () => {
  using folder = temporaryFolder();
  const first = openIn(folder.path);
  const before = openUsage(TODAY_MS - DAY_MS, first.file);
  before.of("shop").add(100, 1_000);
  before.roll(TODAY_MS);
  before.of("shop").add(5, 50);
  before.of("app").add(7, 70);
  before.flush();
  before.of("app").add(1, 1);
  before.flush();
  first.file.close();

  const after = openUsage(TODAY_MS, openIn(folder.path).file);
  expect(after.of("shop")).toMatchObject({ events: 5, bytes: 50 });
  expect(after.of("app")).toMatchObject({ events: 8, bytes: 71 });
});

test("a process that is killed at any moment loses no count that it has written", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "quotas.sqlite");
  let expected = 0;
  for (let round = 0; round < 10; round++) {
    const program = join(import.meta.dir, "testing/count-for-ever.ts");
    const child = Bun.spawn([process.execPath, program, path, String(TODAY)], {
      stdout: "pipe",
      stderr: "inherit",
    });
    let printed = "";
    for await (const chunk of child.stdout) {
      printed += Buffer.from(chunk).toString();
      // Then it is in the middle of something.
      if (printed.length > 200 * (round + 1)) child.kill("SIGKILL");
    }
    await child.exited;
    expected += Number(printed.slice(0, printed.lastIndexOf("\n")).split("\n").at(-1));
    const { file, messages } = openIn(folder.path);
    const { events } = file.load(TODAY)!.get("shop")!;
    file.close();
    expect(messages).toEqual([]);
    // What was written, and at most the one count whose number was not printed any more.
    expect(events).toBeGreaterThanOrEqual(expected);
    expected = events;
  }
});

test("a clock that is set back returns to what was used on that day", () => {
  using folder = temporaryFolder();
  const daily = openUsage(TODAY_MS, openIn(folder.path).file);
  daily.of("shop").add(5, 50);
  daily.roll(TODAY_MS + 400 * DAY_MS);
  expect(daily.of("shop").events).toBe(0);
  daily.of("shop").add(1, 1);
  daily.roll(TODAY_MS);
  expect(daily.of("shop").events).toBe(5);
});

test("a file that can't be opened: counts in memory, says so once, and is brought up to date when it can", () => {
  using folder = temporaryFolder();
  const earlier = openIn(folder.path).file;
  earlier.add(TODAY, new Map([["shop", { events: 3, bytes: 30 }]]));
  // Open, it is locked.
  const { file, messages } = openIn(folder.path);
  const daily = openUsage(TODAY_MS, file);
  daily.of("shop").add(4, 40);
  daily.flush();
  expect(daily.of("shop").events).toBe(4);
  expect(messages).toEqual(["quota file failed: counting quotas in memory alone"]);
  earlier.close();
  daily.flush();
  expect(daily.of("shop").events).toBe(7);
  expect(messages.at(-1)).toBe("quota file works again");
  file.close();
  expect(openUsage(TODAY_MS, openIn(folder.path).file).of("shop")).toMatchObject({ events: 7, bytes: 70 });
});

test("a full disk loses no count that is in memory", () => {
  using disk = mountSmallDisk(256 * 1024);
  if (!disk.isMounted) return;
  const { file, messages } = openIn(disk.path);
  const daily = openUsage(TODAY_MS, file);
  daily.of("shop").add(1, 10);
  daily.flush();
  disk.fill();
  for (let n = 0; n < 2_000; n++) daily.of(`caller-${n}`).add(1, 10);
  daily.flush();
  daily.flush();
  expect(messages).toEqual(["quota file failed: counting quotas in memory alone"]);
  expect(daily.of("caller-7").events).toBe(1);
  disk.release();
  daily.flush();
  file.close();
  const again = openUsage(TODAY_MS, openIn(disk.path).file);
  expect(again.of("shop").events).toBe(1);
  expect(again.of("caller-1999").events).toBe(1);
});

test("a folder that can't be written is named, and nothing throws", () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, "file"), "");
  const { file, messages } = openIn(join(folder.path, "file", "below"));
  const daily = openUsage(TODAY_MS, file);
  daily.of("shop").add(4, 40);
  daily.flush();
  expect(daily.of("shop").events).toBe(4);
  expect(file.failures).toBe(2);
  expect(messages).toHaveLength(1);
});

test("a damaged file is set aside", () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, "quotas.sqlite"), "not a database at all".repeat(1_000));
  const { file, messages } = openIn(folder.path);
  const daily = openUsage(TODAY_MS, file);
  daily.of("shop").add(4, 40);
  daily.flush();
  expect(messages).toEqual(["quota file damaged: set aside, counting from zero"]);
  expect(existsSync(join(folder.path, "quotas.sqlite.damaged"))).toBe(true);
  file.close();
  expect(openUsage(TODAY_MS, openIn(folder.path).file).of("shop").events).toBe(4);
});
