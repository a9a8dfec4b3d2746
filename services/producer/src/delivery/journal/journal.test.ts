import { describe, expect, spyOn, test } from "bun:test";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { temporaryFolder, until } from "@ingest/testkit";
import pino from "pino";
import { event, openJournal, remaining } from "../testing/journal.ts";
import type { JournalRecord } from "./cursor.ts";
import { listSegments, workerFolder } from "./folder.ts";
import type { Journal } from "./journal.ts";
import { ackPath, Segment } from "./segment.ts";

const NOW = 1_700_000_000_000;

function append(journal: Journal, ...values: string[]): void {
  for (const value of values) journal.append(event(value), NOW);
}

describe("order", () => {
  test("is that of appending, across segments and a restart", async () => {
    using folder = temporaryFolder();
    const values = Array.from({ length: 500 }, (_, i) => `value ${i} ${"x".repeat(i)}`);
    const journal = await openJournal(folder.path);
    append(journal, ...values);
    expect(journal.state().segments).toBeGreaterThan(10);
    expect(remaining(journal)).toEqual(values);
    await journal.close();
    const next = await openJournal(folder.path);
    expect(remaining(next)).toEqual(values);
    expect(next.state().records).toBe(500);
    await next.close();
  });

  test("keeps key, time and topic", async () => {
    using folder = temporaryFolder();
    const journal = await openJournal(folder.path, { topic: "before" });
    journal.append(event("a", "schlüssel"), NOW);
    journal.append(event("b", null), NOW + 1);
    await journal.close();
    const next = await openJournal(folder.path, { topic: "after" });
    const { key, receivedMs, topic } = next.peek() as JournalRecord;
    expect({ key, receivedMs, topic }).toEqual({ key: "schlüssel", receivedMs: NOW, topic: "before" });
    next.advance();
    expect((next.peek() as JournalRecord).key).toBeNull();
    await next.close();
  });

  test("keeps the topic and the headers of a record, also of one that is copied", async () => {
    using folder = temporaryFolder();
    const journal = await openJournal(folder.path, { topic: "before" });
    const headers = [["ce_id", "1"] as const, ["ce_id", null] as const];
    journal.append({ ...event("a"), topic: "orders", headers }, NOW);
    journal.append(event("b"), NOW);
    await journal.close();
    const next = await openJournal(folder.path, { topic: "after" });
    expect(next.topics).toEqual(["orders", "before"]);
    const first = next.peek() as JournalRecord;
    next.advance();
    const second = next.peek() as JournalRecord;
    next.startSpooling();
    for (const record of [first, second]) next.supersede(record, next.appendReclaimed(record, NOW));
    await next.close();
    const last = await openJournal(folder.path, { topic: "after" });
    const copies: unknown[] = [];
    for (let record = last.peek(); typeof record === "object"; record = last.peek()) {
      copies.push({ value: record.value.toString(), topic: record.topic, headers: record.headers });
      last.advance();
    }
    expect(copies).toEqual([
      {
        value: "a",
        topic: "orders",
        headers: [
          ["ce_id", Buffer.from("1")],
          ["ce_id", null],
        ],
      },
      { value: "b", topic: "before", headers: undefined },
    ]);
    await last.close();
  });

  test("events reclaimed while spooling go after events sent before and before events spooled since", async () => {
    using folder = temporaryFolder();
    const journal = await openJournal(folder.path);
    append(journal, "sent 1", "sent 2");
    journal.startSpooling();
    expect(remaining(journal)).toEqual([]);
    append(journal, "spooled 1", "spooled 2");
    for (let i = 0; i < 200; i++) journal.appendReclaimed(event(`back ${i}`), NOW);
    append(journal, "spooled 3");
    journal.rewind();
    const back = Array.from({ length: 200 }, (_, i) => `back ${i}`);
    const expected = ["sent 1", "sent 2", ...back, "spooled 1", "spooled 2", "spooled 3"];
    expect(remaining(journal)).toEqual(expected);
    await journal.close();
    const next = await openJournal(folder.path);
    expect(remaining(next)).toEqual(expected);
    await next.close();
  });

  // A thousand reserved segments were too few for a large queue in small segments: the rest went behind newer events.
  test("across any number of segments", async () => {
    using folder = temporaryFolder();
    const journal = await openJournal(folder.path, { segmentBytes: 64, fsyncIntervalMs: 60_000 });
    journal.startSpooling();
    append(journal, "spooled");
    const back = Array.from({ length: 1_100 }, (_, i) => `back ${i}`);
    const positions = back.map((value) => journal.appendReclaimed(event(value), NOW));
    journal.rewind();
    expect(remaining(journal)).toEqual([...back, "spooled"]);
    for (const position of positions) journal.acknowledge(position);
    await journal.close();
  });

  test("reclaimed events go to the end when not spooling", async () => {
    using folder = temporaryFolder();
    const journal = await openJournal(folder.path);
    journal.startSpooling();
    append(journal, "a");
    journal.stopSpooling();
    journal.appendReclaimed(event("b"), NOW);
    append(journal, "c");
    journal.rewind();
    expect(remaining(journal)).toEqual(["a", "b", "c"]);
    await journal.close();
  });

  test("the cursor finds records that are appended behind it", async () => {
    using folder = temporaryFolder();
    const journal = await openJournal(folder.path);
    for (let i = 0; i < 100; i++) {
      append(journal, `value ${i}`);
      expect(remaining(journal)).toEqual([`value ${i}`]);
    }
    await journal.close();
  });
});

describe("acknowledging", () => {
  test("removes finished segments; the other records are sent again after a restart", async () => {
    using folder = temporaryFolder();
    const journal = await openJournal(folder.path);
    const positions = Array.from({ length: 300 }, (_, i) => journal.append(event(`value ${i}`), NOW));
    await journal.commit();
    const { segments } = journal.state();
    for (const [i, position] of positions.entries()) if (i !== 7 && i < 250) journal.acknowledge(position);
    await until("files to be removed", () => journal.state().segments < segments);
    await journal.close();
    const next = await openJournal(folder.path);
    expect(remaining(next)).toEqual(["value 7", ...Array.from({ length: 50 }, (_, i) => `value ${250 + i}`)]);
    await next.close();
  });

  // Saving was attempted once, and not again before the next acknowledgement.
  test("is saved once the disk can be written, after a first failure", async () => {
    using folder = temporaryFolder();
    const lines: string[] = [];
    const log = pino({ level: "warn" }, { write: (line) => void lines.push(line) });
    const journal = await openJournal(folder.path, { log });
    const [a] = ["a", "b"].map((value) => journal.append(event(value), NOW));
    await journal.commit();
    const home = workerFolder(folder.path, 0);
    renameSync(home, `${home}-away`);
    journal.acknowledge(a!);
    await until("the first try", () => lines.some((line) => line.includes("saving acknowledgements failed")));
    renameSync(`${home}-away`, home);
    await until("the next one", () => existsSync(ackPath(a!.segment.path)));
    await journal.close();
  });

  test("of all records leaves no file behind", async () => {
    using folder = temporaryFolder();
    const journal = await openJournal(folder.path);
    const positions = ["a", "b", "c"].map((value) => journal.append(event(value), NOW));
    await journal.commit();
    for (const position of positions) journal.acknowledge(position);
    expect(await journal.close()).toEqual({ kept: 0, lost: 0 });
    expect(readdirSync(workerFolder(folder.path, 0))).toEqual(["lock"]);
  });

  test("a superseded record is kept until its copy is on disk", async () => {
    using folder = temporaryFolder();
    const journal = await openJournal(folder.path, { fsyncIntervalMs: 1_000 });
    const position = journal.append(event("a"), NOW);
    await journal.commit();
    journal.startSpooling();
    journal.supersede(position, journal.appendReclaimed(event("a"), NOW));
    // If the process ended here, the next one would find the original.
    expect(existsSync(position.segment.path)).toBe(true);
    journal.rewind();
    expect(remaining(journal)).toEqual(["a"]);
    await journal.close();
    expect(existsSync(position.segment.path)).toBe(false);
  });
});

test("originals are removed once their copies are on disk, however much is appended behind them", async () => {
  using folder = temporaryFolder();
  const journal = await openJournal(folder.path, { fsyncIntervalMs: 1 });
  const position = journal.append(event("a"), NOW);
  await journal.commit();
  journal.startSpooling();
  journal.supersede(position, journal.appendReclaimed(event("a"), NOW));
  const busy = setInterval(() => append(journal, "more"), 0);
  await until("the original to go", () => !existsSync(position.segment.path));
  clearInterval(busy);
  await journal.close();
});

// The kernel reports a failed fsync once: the next one succeeded, and originals were removed though their copies were lost.
test.each([false, true])(
  "copies whose fsync has failed let originals go only when Kafka has them (%j)",
  async (isAcknowledged) => {
    using folder = temporaryFolder();
    const journal = await openJournal(folder.path);
    const position = journal.append(event("a"), NOW);
    await journal.commit();
    journal.startSpooling();
    const copy = journal.appendReclaimed(event("a"), NOW);
    journal.supersede(position, copy);
    const failing = spyOn(Segment.prototype, "sync").mockRejectedValue(new Error("EIO"));
    expect(await journal.commit()).toBe(false);
    failing.mockRestore();
    await until("the next fsync", async () => (await journal.commit()) && copy.segment.isSynced);
    if (isAcknowledged) journal.acknowledge(copy);
    await journal.close();
    expect(existsSync(position.segment.path)).toBe(!isAcknowledged);
  },
);

describe("bounds", () => {
  test("bytes: full, and writable again once records are acknowledged", async () => {
    using folder = temporaryFolder();
    const journal = await openJournal(folder.path, { maxBytes: 20_000 });
    const positions = [];
    while (journal.refusal === undefined) positions.push(journal.append(event("x".repeat(500)), NOW));
    expect(journal.refusal).toBe("journal_full");
    expect(journal.state().bytes).toBeWithin(20_000, 21_000);
    for (const position of positions) journal.acknowledge(position);
    expect(journal.refusal).toBeUndefined();
    await journal.close();
  });

  test("age: refuses when the oldest record is too old, whatever is acknowledged behind it", async () => {
    using folder = temporaryFolder();
    let now = NOW;
    const journal = await openJournal(folder.path, { maxAgeMs: 60_000, now: () => now });
    const first = journal.append(event("old"), now);
    now += 59_000;
    const second = journal.append(event("newer"), now);
    journal.acknowledge(second);
    expect([journal.refusal, journal.state().oldestAgeMs]).toEqual([undefined, 59_000]);
    now += 1_000;
    expect(journal.refusal).toBe("journal_full");
    journal.acknowledge(first);
    expect([journal.refusal, journal.state().oldestAgeMs]).toEqual([undefined, 0]);
    await journal.close();
  });
});

describe("a disk that can't be written", () => {
  test("refuses, keeps the records it has, and recovers by itself", async () => {
    using folder = temporaryFolder();
    const journal = await openJournal(folder.path);
    const home = workerFolder(folder.path, 0);
    renameSync(home, `${home}-away`);
    append(journal, "a");
    expect(await journal.commit()).toBe(false);
    expect([journal.refusal, journal.state().isWritable]).toEqual(["journal_unavailable", false]);
    // Kafka may recover first: records in memory can be sent.
    expect(remaining(journal)).toEqual(["a"]);
    renameSync(`${home}-away`, home);
    await until("the journal to recover", () => journal.refusal === undefined);
    append(journal, "b");
    expect(await journal.commit()).toBe(true);
    expect(await journal.close()).toEqual({ kept: 2, lost: 0 });
    const next = await openJournal(folder.path);
    expect(remaining(next)).toEqual(["a", "b"]);
    await next.close();
  });

  test("close returns how many records could not be written", async () => {
    using folder = temporaryFolder();
    const journal = await openJournal(folder.path);
    const home = workerFolder(folder.path, 0);
    renameSync(home, `${home}-away`);
    append(journal, "a", "b");
    expect(await journal.close()).toEqual({ kept: 0, lost: 2 });
  });

  test("is tried again once no unwritten record is needed any more", async () => {
    using folder = temporaryFolder();
    const journal = await openJournal(folder.path);
    const home = workerFolder(folder.path, 0);
    renameSync(home, `${home}-away`);
    const position = journal.append(event("a"), NOW);
    await journal.commit();
    journal.acknowledge(position);
    expect(journal.state()).toMatchObject({ records: 0, segments: 0, bytes: 0 });
    await journal.close();
  });
});

// Events were confirmed as durable, and were lost with the process: their files had no name any more.
describe("a folder that is removed or replaced while in use", () => {
  test("nothing is confirmed as durable until the same folder is back", async () => {
    using home = temporaryFolder();
    const journal = await openJournal(home.path);
    const folder = workerFolder(home.path, 0);
    append(journal, "a");
    expect(await journal.commit()).toBe(true);
    renameSync(folder, `${folder}-away`);
    append(journal, "b");
    expect(await journal.commit()).toBe(false);
    expect([journal.refusal, journal.isDetached]).toEqual(["journal_unavailable", true]);
    mkdirSync(folder);
    append(journal, "c");
    expect(await journal.commit()).toBe(false);
    rmdirSync(folder);
    renameSync(`${folder}-away`, folder);
    await until("the journal to be writable", () => journal.refusal === undefined);
    expect(await journal.commit()).toBe(true);
    await journal.close();
    const next = await openJournal(home.path);
    expect(remaining(next)).toEqual(["a", "b", "c"]);
    await next.close();
  });

  test("without records that Kafka lacks, the new folder is used", async () => {
    using home = temporaryFolder();
    const journal = await openJournal(home.path);
    const folder = workerFolder(home.path, 0);
    const position = journal.append(event("a"), NOW);
    expect(await journal.commit()).toBe(true);
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    append(journal, "b");
    expect(await journal.commit()).toBe(false);
    journal.acknowledge(position);
    journal.acknowledge({ segment: position.segment, ordinal: 1 });
    await until("the journal to be writable", () => journal.refusal === undefined);
    append(journal, "c");
    expect(await journal.commit()).toBe(true);
    await journal.close();
    const next = await openJournal(home.path);
    expect(remaining(next)).toEqual(["c"]);
    await next.close();
  });

  test("a removed file is not synced: its records are not confirmed, and the next go to another", async () => {
    using home = temporaryFolder();
    const journal = await openJournal(home.path);
    append(journal, "a");
    expect(await journal.commit()).toBe(true);
    const [file] = listSegments(workerFolder(home.path, 0));
    rmSync(file!.path);
    append(journal, "b");
    expect(await journal.commit()).toBe(false);
    append(journal, "c");
    await until("the journal to be writable", () => journal.refusal === undefined);
    expect(await journal.commit()).toBe(true);
    await journal.close();
  });
});

describe("a file that can't be read", () => {
  test("holds up the records behind it, and none is lost or overtaken", async () => {
    using folder = temporaryFolder();
    const journal = await openJournal(folder.path);
    append(journal, "a", "b");
    await journal.commit();
    const [file] = listSegments(workerFolder(folder.path, 0));
    // The descriptor it was written with could still read it.
    journal.startSpooling();
    await journal.commit();
    append(journal, "c");
    await until("the file to be closed", async () => (await journal.commit()) && openFiles(file!.path) === 0);
    renameSync(file!.path, `${file!.path}-away`);
    journal.rewind();
    expect(journal.peek()).toBe("unreadable");
    renameSync(`${file!.path}-away`, file!.path);
    expect(remaining(journal)).toEqual(["a", "b", "c"]);
    await journal.close();
  });

  test("does not keep a process from starting", async () => {
    using folder = temporaryFolder();
    const journal = await openJournal(folder.path);
    append(journal, "a");
    await journal.close();
    const [file] = listSegments(workerFolder(folder.path, 0));
    mkdirSync(file!.path.replace("0000001000000000", "0000000999999999"));
    const next = await openJournal(folder.path);
    expect([next.corrupt, remaining(next)]).toEqual([1, ["a"]]);
    await next.close();
  });
});

/** How many descriptors of this process lead there (Linux). */
function openFiles(path: string): number {
  const links = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return "";
    }
  });
  return links.filter((link) => link === path).length;
}

describe("a damaged record", () => {
  test("is quarantined and counted, and affects no other", async () => {
    using folder = temporaryFolder();
    const journal = await openJournal(folder.path);
    append(journal, "one", "two", "three");
    await journal.close();
    const [file] = listSegments(workerFolder(folder.path, 0));
    const bytes = readFileSync(file!.path);
    const at = bytes.indexOf("two");
    bytes.write("TWO", at);
    writeFileSync(file!.path, bytes);
    const next = await openJournal(folder.path);
    expect(next.corrupt).toBe(1);
    expect(remaining(next)).toEqual(["one", "three"]);
    const quarantine = join(workerFolder(folder.path, 0), "quarantine");
    await until(
      "the file",
      () => existsSync(quarantine) && readdirSync(quarantine).some((name) => name.endsWith(".damaged")),
    );
    expect(readFileSync(join(quarantine, readdirSync(quarantine)[0]!)).includes("TWO")).toBe(true);
    await next.close();
  });

  test("a torn write is skipped and not counted as damage", async () => {
    using folder = temporaryFolder();
    const journal = await openJournal(folder.path);
    append(journal, "one");
    await journal.close();
    const [file] = listSegments(workerFolder(folder.path, 0));
    appendFileSync(file!.path, readFileSync(file!.path).subarray(-20, -1));
    const next = await openJournal(folder.path);
    expect(next.corrupt).toBe(0);
    expect(remaining(next)).toEqual(["one"]);
    await next.close();
  });

  test("is skipped and counted when the damage happens while the journal is in use", async () => {
    using folder = temporaryFolder();
    const journal = await openJournal(folder.path);
    append(journal, "one", "two", "three");
    await journal.commit();
    const [file] = listSegments(workerFolder(folder.path, 0));
    const bytes = readFileSync(file!.path);
    bytes.write("TWO", bytes.indexOf("two"));
    writeFileSync(file!.path, bytes);
    expect(remaining(journal)).toEqual(["one", "three"]);
    expect([journal.corrupt, journal.state().records]).toEqual([1, 2]);
    await journal.close();
  });
});
