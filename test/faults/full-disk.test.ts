// The journal on a disk that is full: refusing, not failing, and going on by itself once there is room.
import { afterAll, expect, test } from "bun:test";
import { createLog, logSettings, parseSettings } from "@ingest/service";
import { until } from "@ingest/testkit";
import type { JournalRecord } from "../../services/producer/src/delivery/journal/cursor.ts";
import { Journal } from "../../services/producer/src/delivery/journal/journal.ts";
import { mountSmallDisk } from "./kit/small-disk.ts";

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

test.skipIf(!disk.isReal)(
  "a journal fills the disk, refuses, is emptied, and takes records again",
  async () => {
    const journal = await open(disk.path);
    const positions = [];
    while (journal.refusal === undefined) {
      for (let i = 0; i < 100; i++) positions.push(append(journal, `${positions.length}:${"x".repeat(500)}`));
      await journal.commit();
    }
    expect(journal.refusal).toBe("journal_unavailable");
    // All of it can be sent, what didn't fit on the disk included.
    let read = 0;
    for (journal.rewind(); journal.peek(); journal.advance())
      expect(Number.parseInt((journal.peek() as JournalRecord).value.toString(), 10)).toBe(read++);
    expect(read).toBe(positions.length);
    // Room comes back with what Kafka has acknowledged.
    for (const position of positions) journal.acknowledge(position);
    await until("the journal to recover", () => journal.refusal === undefined);
    append(journal, "again");
    expect(await journal.commit()).toBe(true);
    expect(await journal.close()).toEqual({ kept: 1, lost: 0 });
  },
);

test.skipIf(!disk.isReal)("a process starts on a full disk, and sends what the former one left", async () => {
  const former = await open(disk.path);
  append(former, "left behind");
  await former.close();
  disk.fill();
  const journal = await open(disk.path);
  expect((journal.peek() as JournalRecord).value.toString()).toBe("again");
  append(journal, "new");
  expect(await journal.commit()).toBe(false);
  expect(journal.refusal).toBe("journal_unavailable");
  disk.empty();
  await until("the journal to recover", () => journal.refusal === undefined);
  expect(await journal.close()).toEqual({ kept: 3, lost: 0 });
});
