import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@ingest/testkit";
import { event, openJournal, remaining } from "../testing/journal.ts";
import { JournalError } from "./errors.ts";
import { listSegments, lockFolder, workerFolder } from "./folder.ts";

/** Another process that holds the folder's lock until it is killed. */
async function holdElsewhere(folder: string) {
  const script = `
    import { lockFolder } from ${JSON.stringify(join(import.meta.dir, "folder.ts"))};
    globalThis.lock = lockFolder(${JSON.stringify(folder)}); // collected, it would be let go
    console.log("held");
    setInterval(() => {}, 1000);`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "inherit" });
  const reader = child.stdout.getReader();
  await reader.read();
  return child;
}

describe("a folder's lock", () => {
  test("is held by one process at a time, and released when that is killed", async () => {
    using folder = temporaryFolder();
    const child = await holdElsewhere(folder.path);
    try {
      expect(() => lockFolder(folder.path)).toThrow(
        `another process uses the journal folder ${folder.path}: end it, or set JOURNAL_DIR to another`,
      );
    } finally {
      child.kill("SIGKILL");
      await child.exited;
    }
    lockFolder(folder.path).release();
  });

  test("is held by one journal at a time within a process too", async () => {
    using folder = temporaryFolder();
    const journal = await openJournal(folder.path);
    expect(openJournal(folder.path)).rejects.toBeInstanceOf(JournalError);
    await journal.close();
    await (await openJournal(folder.path)).close();
  });

  test("fails when the folder can't be created", () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, "file"), "");
    expect(() => lockFolder(join(folder.path, "file", "journal"))).toThrow("not writable");
  });
});

describe("workers", () => {
  test("have one folder each", async () => {
    using folder = temporaryFolder();
    const journals = await Promise.all(
      [0, 1].map((worker) => openJournal(folder.path, { worker, workers: 2 })),
    );
    for (const [index, journal] of journals.entries()) journal.append(event(`worker ${index}`), Date.now());
    await Promise.all(journals.map((journal) => journal.close()));
    expect(listSegments(workerFolder(folder.path, 1))).toHaveLength(1);
  });

  test("that no longer exist leave their records to the first one, before its own", async () => {
    using folder = temporaryFolder();
    for (const worker of [0, 1, 2]) {
      const journal = await openJournal(folder.path, { worker, workers: 3 });
      for (const n of [1, 2]) journal.append(event(`worker ${worker}, ${n}`), Date.now());
      await journal.close();
    }
    const journal = await openJournal(folder.path, { worker: 0, workers: 2 });
    expect(remaining(journal)).toEqual(["worker 2, 1", "worker 2, 2", "worker 0, 1", "worker 0, 2"]);
    await journal.close();
    expect(existsSync(workerFolder(folder.path, 2))).toBe(false);
    expect(listSegments(workerFolder(folder.path, 1))).toHaveLength(1);
  });

  test("that still run keep their records", async () => {
    using folder = temporaryFolder();
    const other = await openJournal(folder.path, { worker: 5, workers: 6 });
    other.append(event("worker 5"), Date.now());
    await other.commit();
    const journal = await openJournal(folder.path, { worker: 0, workers: 1 });
    expect(remaining(journal)).toEqual([]);
    await Promise.all([journal.close(), other.close()]);
  });
});

test("unknown files in the folder are kept, drafts removed", () => {
  using folder = temporaryFolder();
  mkdirSync(folder.path, { recursive: true });
  for (const name of ["notes.txt", "1.segment", "0000001000000000-0000000a.acks.new"])
    writeFileSync(join(folder.path, name), "");
  expect(listSegments(folder.path)).toEqual([]);
  expect(existsSync(join(folder.path, "notes.txt"))).toBe(true);
  expect(existsSync(join(folder.path, "0000001000000000-0000000a.acks.new"))).toBe(false);
});
