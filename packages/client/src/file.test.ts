import { expect, test } from "bun:test";
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mountSmallDisk, temporaryFolder } from "@ingest/testkit";
import { createFileStore } from "./file.ts";
import type { SavedEvent } from "./types.ts";

const ALL = { events: 1_000_000, bytes: 1e9 };

const event = (id: string, text = ""): SavedEvent => ({ id, json: JSON.stringify({ event_id: id, text }) });
const fail = (error: unknown) => {
  throw error;
};

function fileIn(folder: { path: string }): string {
  return join(folder.path, "deep", "events.log");
}

async function readIds(path: string): Promise<string[]> {
  const store = createFileStore(path);
  const found = await store.load(ALL);
  await store.close();
  return found.map(({ id }) => id);
}

test.each([false, true])(
  "events that were added and not removed are found again, in order; fsync is %p",
  async (fsync) => {
    using folder = temporaryFolder();
    const path = fileIn(folder);
    const store = createFileStore(path, { fsync });
    expect(await store.load(ALL)).toEqual([]);
    const events = ["b", "a", 'quote " and line\n', "é"].map((id) => event(id, id));
    for (const one of events) store.add(one, fail);
    store.remove(["a", "unknown"], fail);
    await store.close();
    const next = createFileStore(path);
    expect(await next.load(ALL)).toEqual(events.filter(({ id }) => id !== "a"));
    await next.close();
  },
);

test("an event is in the file when add returns", async () => {
  using folder = temporaryFolder();
  const store = createFileStore(fileIn(folder));
  await store.load(ALL);
  store.add(event("a"), fail);
  expect(readFileSync(fileIn(folder), "utf8")).toContain('"event_id":"a"');
  await store.close();
});

test("what a crash left at the end of the file is skipped, and a rewrite that it cut short has no effect", async () => {
  using folder = temporaryFolder();
  const path = fileIn(folder);
  const store = createFileStore(path);
  await store.load(ALL);
  store.add(event("a"), fail);
  await store.close();
  appendFileSync(path, '+["b",{"event_id":"b","te');
  writeFileSync(`${path}.new`, '+["c",{"event_id":"c"}]\n');
  expect(await readIds(path)).toEqual(["a"]);
  // Nothing is appended to the incomplete line.
  const next = createFileStore(path);
  await next.load(ALL);
  next.add(event("d"), fail);
  await next.close();
  expect(await readIds(path)).toEqual(["a", "d"]);
});

test("only as many events as there is room for are taken over at a time", async () => {
  using folder = temporaryFolder();
  const path = fileIn(folder);
  const store = createFileStore(path);
  await store.load(ALL);
  for (const id of ["a", "b", "c", "d"]) store.add(event(id), fail);
  await store.close();
  const next = createFileStore(path);
  const ids = async (room: { events: number; bytes: number }) => (await next.load(room)).map(({ id }) => id);
  expect(await ids({ events: 2, bytes: 1e9 })).toEqual(["a", "b"]);
  expect(await ids({ events: 9, bytes: event("c").json.length })).toEqual(["c"]);
  expect(await ids({ events: 9, bytes: 1 })).toEqual([]);
  await next.close();
  expect(await readIds(path)).toEqual(["a", "b", "c", "d"]);
});

test("the file stays bounded, however many events pass through it", async () => {
  using folder = temporaryFolder();
  const path = fileIn(folder);
  const store = createFileStore(path);
  await store.load(ALL);
  store.add(event("stays"), fail);
  let largest = 0;
  for (let i = 0; i < 2_000; i++) {
    store.add(event(`${i}`, "x".repeat(5_000)), fail);
    store.remove([`${i}`], fail);
    largest = Math.max(largest, statSync(path).size);
  }
  expect(largest).toBeLessThan(1_100_000);
  await store.close();
  expect(await readIds(path)).toEqual(["stays"]);
});

test("a second client of the file is refused, in this process and in another, until the first has ended", async () => {
  using folder = temporaryFolder();
  const path = fileIn(folder);
  const store = createFileStore(path);
  await store.load(ALL);
  expect(createFileStore(path).load(ALL)).rejects.toThrow(`is held by process ${process.pid}`);
  const program = `const { createFileStore } = await import(${JSON.stringify(join(import.meta.dir, "file.ts"))});
    const store = createFileStore(${JSON.stringify(path)});
    await store.load({ events: 9, bytes: 999 }).then(() => console.log("loaded"), ({ message }) => console.log(message));
    process.kill(process.pid, "SIGKILL");`;
  const runOther = () => Bun.spawnSync([process.execPath, "-e", program]).stdout.toString();
  expect(runOther()).toContain(`is held by process ${process.pid}`);
  await store.close();
  // It is killed while it holds the lock.
  expect(runOther()).toBe("loaded\n");
  expect(existsSync(`${path}.lock`)).toBe(true);
  expect(await readIds(path)).toEqual([]);
});

test("a lock left by another process that had this one's id is stale", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "events.log");
  writeFileSync(`${path}.lock`, JSON.stringify({ pid: process.pid, start: "1" }));
  expect(await readIds(path)).toEqual([]);
});

test("after close nothing is kept, and nothing fails", async () => {
  using folder = temporaryFolder();
  const path = fileIn(folder);
  const store = createFileStore(path);
  await store.load(ALL);
  await store.close();
  store.add(event("late"), fail);
  expect(await readIds(path)).toEqual([]);
});

test("a full disk is reported, and later events are kept once there is room", async () => {
  using disk = mountSmallDisk(1_000_000);
  if (!disk.isMounted) return;
  const path = join(disk.path, "events.log");
  const store = createFileStore(path);
  await store.load(ALL);
  store.add(event("a"), fail);
  disk.fill();
  const errors: unknown[] = [];
  store.add(event("lost", "x".repeat(100_000)), (error) => void errors.push(error));
  expect(errors).toMatchObject([{ code: "ENOSPC" }]);
  disk.release();
  store.add(event("b"), fail);
  await store.close();
  expect(await readIds(path)).toEqual(["a", "b"]);
});
