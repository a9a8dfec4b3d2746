// The journal on a full disk: it refuses records, and recovers by itself once there is space.
import { afterAll, expect, test } from "bun:test";
import { createLog, logSettings, parseSettings } from "@ingest/service";
import { mountSmallDisk, until } from "@ingest/testkit";
import type { JournalRecord } from "../../services/producer/src/delivery/journal/cursor.ts";
import { Journal } from "../../services/producer/src/delivery/journal/journal.ts";

const log = createLog("full-disk-test", parseSettings(logSettings, { LOG_LEVEL: "silent" }));

function open(directory: string): Promise<Journal> {
  const bounds = { maxBytes: 2 ** 30, maxAgeMs: 2 ** 40, segmentBytes: 256 * 1024, fsyncIntervalMs: 1 };
  return Journal.open({ directory, worker: 0, workers: 1, topic: "events", log, ...bounds });
}

function append(journal: Journal, value: string) {
  return journal.append({ key: "k", value: Buffer.from(value) }, Date.now());
}

const disk = mountSmallDisk(4 * 1024 * 1024);
afterAll(() => disk[Symbol.dispose]());

test.skipIf(!disk.isMounted)(
  "a journal that fills the disk refuses records, and appends again once acknowledged ones are removed",
  async () => {
    const journal = await open(disk.path);
    const positions = [];
    while (journal.refusal === undefined) {
      for (let i = 0; i < 100; i++) positions.push(append(journal, `${positions.length}:${"x".repeat(500)}`));
      await journal.commit();
    }
    expect(journal.refusal).toBe("journal_unavailable");
    // All records can be read, those that did not fit on the disk too.
    let read = 0;
    for (journal.rewind(); journal.peek(); journal.advance())
      expect(Number.parseInt((journal.peek() as JournalRecord).value.toString(), 10)).toBe(read++);
    expect(read).toBe(positions.length);
    // Acknowledging records frees their space.
    for (const position of positions) journal.acknowledge(position);
    await until("the journal to recover", () => journal.refusal === undefined);
    append(journal, "again");
    expect(await journal.commit()).toBe(true);
    expect(await journal.close()).toEqual({ kept: 1, lost: 0 });
  },
);

test.skipIf(!disk.isMounted)(
  "a journal that is opened on a full disk reads what the previous one left",
  async () => {
    const previous = await open(disk.path);
    append(previous, "left behind");
    await previous.close();
    disk.fill();
    const journal = await open(disk.path);
    expect((journal.peek() as JournalRecord).value.toString()).toBe("again");
    append(journal, "new");
    expect(await journal.commit()).toBe(false);
    expect(journal.refusal).toBe("journal_unavailable");
    disk.release();
    await until("the journal to recover", () => journal.refusal === undefined);
    expect(await journal.close()).toEqual({ kept: 3, lost: 0 });
  },
);
