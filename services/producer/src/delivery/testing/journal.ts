// A small journal for tests, without log output.

import pino from "pino";
import { Journal, type JournalOptions } from "../journal/journal.ts";

export const quietLog = pino({ level: "silent" });

function journalOptions(directory: string, more: Partial<JournalOptions> = {}): JournalOptions {
  return {
    directory,
    worker: 0,
    workers: 1,
    topic: "events",
    maxBytes: 1024 * 1024,
    maxAgeMs: Number.MAX_SAFE_INTEGER,
    segmentBytes: 4096,
    fsyncIntervalMs: 0,
    log: quietLog,
    ...more,
  };
}

export function openJournal(directory: string, more: Partial<JournalOptions> = {}): Promise<Journal> {
  return Journal.open(journalOptions(directory, more));
}

export function event(value: string, key: string | null = "k") {
  return { id: value, key, value: Buffer.from(value) };
}

/** The values of the records that are still to be sent, in order. */
export function remaining(journal: Journal): string[] {
  const values: string[] = [];
  for (let record = journal.peek(); record; record = journal.peek()) {
    if (record === "unreadable") throw new Error("the journal can't be read");
    values.push(record.value.toString());
    journal.advance();
  }
  return values;
}
