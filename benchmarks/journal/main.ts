// bun benchmarks/journal/main.ts: the journal's append-only segments beside SQLite in WAL mode, which only this benchmark
// uses. docs/journal.md has the results.

import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "@ingest/cli-flags";
import pino from "pino";
import { GroupCommit } from "../../services/producer/src/delivery/journal/group-commit.ts";
import { Journal } from "../../services/producer/src/delivery/journal/journal.ts";

interface Store {
  append(key: string, value: Buffer, timestampMs: number): void;
  commit(): Promise<boolean>;
  /** @returns the number of records, after reading each of them */
  readAll(): number;
  close(): Promise<unknown>;
}

const VALUE = Buffer.from(JSON.stringify({ event_type: "page_view", payload: { text: "x".repeat(245) } }));

async function openSegments(folder: string, fsyncIntervalMs: number): Promise<Store> {
  const journal = await Journal.open({
    directory: folder,
    worker: 0,
    workers: 1,
    topic: "events",
    maxBytes: 2 ** 40,
    maxAgeMs: 2 ** 40,
    segmentBytes: 8 * 2 ** 20,
    fsyncIntervalMs,
    log: pino({ level: "silent" }),
  });
  return {
    append: (key, value, timestampMs) => void journal.append({ key, value }, timestampMs),
    commit: () => journal.commit(),
    readAll: () => {
      let count = 0;
      for (journal.rewind(); journal.peek(); journal.advance()) count++;
      return count;
    },
    close: () => journal.close(),
  };
}

/** One transaction a group commit; `synchronous = FULL` makes each commit an fsync of the write-ahead log. */
async function openSqlite(folder: string, intervalMs: number): Promise<Store> {
  const database = new Database(join(folder, "journal.sqlite"), { create: true });
  database.run("PRAGMA journal_mode = WAL");
  database.run("PRAGMA synchronous = FULL");
  database.run("CREATE TABLE record (id INTEGER PRIMARY KEY, key TEXT, value BLOB, time INTEGER)");
  const insert = database.query("INSERT INTO record (key, value, time) VALUES (?, ?, ?)");
  let isOpen = false;
  const commits = new GroupCommit(
    {
      flush: () => {
        if (isOpen) database.run("COMMIT");
        isOpen = false;
        return true;
      },
      sync: async () => true,
    },
    { intervalMs, lazySyncMs: 0 },
  );
  return {
    append: (key, value, timestampMs) => {
      if (!isOpen) database.run("BEGIN");
      isOpen = true;
      insert.run(key, value, timestampMs);
    },
    commit: () => commits.commit(),
    readAll: () => {
      let count = 0;
      for (const _ of database.query("SELECT key, value, time FROM record ORDER BY id").iterate()) count++;
      return count;
    },
    close: async () => {
      await commits.close();
      database.close();
    },
  };
}

const stores = { segments: openSegments, sqlite: openSqlite };
type StoreName = keyof typeof stores;

interface Result {
  store: StoreName;
  load: string;
  "interval ms": number;
  "events/s": number;
  "CPU µs/event": number;
  "durable p50 ms": number;
  "p99 ms": number;
  "loop blocked max ms": number;
}

/** Each caller appends, waits until its event is durable, and appends the next. */
async function closedLoop(store: Store, callers: number, durationMs: number) {
  const latencies: number[] = [];
  const end = performance.now() + durationMs;
  const caller = async (n: number) => {
    while (performance.now() < end) {
      const from = performance.now();
      store.append(`user-${n % 1000}`, VALUE, Date.now());
      await store.commit();
      latencies.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, n) => caller(n)));
  return latencies;
}

/** Appends at a fixed rate, whether or not earlier events are durable yet. */
async function openLoop(store: Store, perSecond: number, durationMs: number) {
  const latencies: number[] = [];
  const start = performance.now();
  const pending = new Set<Promise<void>>();
  for (let sent = 0; sent < (perSecond * durationMs) / 1000; ) {
    const due = ((performance.now() - start) * perSecond) / 1000;
    for (; sent < due; sent++) {
      const from = performance.now();
      store.append(`user-${sent % 1000}`, VALUE, Date.now());
      const done = store.commit().then(() => void latencies.push(performance.now() - from));
      pending.add(done);
      void done.then(() => pending.delete(done));
    }
    await Bun.sleep(1);
  }
  await Promise.all(pending);
  return latencies;
}

async function measure(
  name: StoreName,
  parent: string,
  intervalMs: number,
  load: string,
  work: (store: Store) => Promise<number[]>,
): Promise<Result> {
  const folder = mkdtempSync(join(parent, "journal-bench-"));
  const store = await stores[name](folder, intervalMs);
  let [blocked, last] = [0, performance.now()];
  const probe = setInterval(() => {
    const now = performance.now();
    blocked = Math.max(blocked, now - last - 1);
    last = now;
  }, 1);
  try {
    const [from, cpu] = [performance.now(), process.cpuUsage()];
    const latencies = (await work(store)).sort((a, b) => a - b);
    const { user, system } = process.cpuUsage(cpu);
    const seconds = (performance.now() - from) / 1000;
    const at = (share: number) => round(latencies[Math.floor(latencies.length * share)] ?? 0);
    return {
      store: name,
      load,
      "interval ms": intervalMs,
      "events/s": Math.round(latencies.length / seconds),
      "CPU µs/event": round((user + system) / latencies.length),
      "durable p50 ms": at(0.5),
      "p99 ms": at(0.99),
      "loop blocked max ms": round(blocked),
    };
  } finally {
    clearInterval(probe);
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

/** The CPU time of appending without waiting, and the time of reading everything back. */
async function flatOut(name: StoreName, parent: string, count: number) {
  const folder = mkdtempSync(join(parent, "journal-bench-"));
  const store = await stores[name](folder, 3);
  const from = process.cpuUsage();
  for (let sent = 0; sent < count; sent++) {
    store.append(`user-${sent % 1000}`, VALUE, Date.now());
    if (sent % 100 === 99) await new Promise(setImmediate);
  }
  await store.commit();
  const appended = process.cpuUsage(from);
  const start = performance.now();
  const read = store.readAll();
  const readMs = performance.now() - start;
  await store.close();
  rmSync(folder, { recursive: true });
  return {
    store: name,
    "append CPU µs/event": round((appended.user + appended.system) / count),
    "read µs/event": round((readMs * 1000) / read),
  };
}

const round = (value: number) => Math.round(value * 100) / 100;

const command = {
  name: "bun benchmarks/journal/main.ts",
  about:
    "Measures the journal's segments beside SQLite in WAL mode: with 64 callers, at a fixed rate, and flat out.",
  flags: {},
  operands: {
    name: "DIR",
    help: "a folder on the disk to measure (default: the temporary folder)",
    min: 0,
    max: 1,
  },
};

process.exitCode = await runCommand(command, process.argv.slice(2), async ({ operands }) => {
  const parent = operands[0] ?? tmpdir();
  const results: Result[] = [];
  for (const intervalMs of [1, 3, 5]) {
    for (const name of ["segments", "sqlite"] as const) {
      results.push(
        await measure(name, parent, intervalMs, "64 callers", (store) => closedLoop(store, 64, 2_000)),
      );
      results.push(
        await measure(name, parent, intervalMs, "20,000/s", (store) => openLoop(store, 20_000, 2_000)),
      );
    }
  }
  console.table(results);
  console.table([await flatOut("segments", parent, 300_000), await flatOut("sqlite", parent, 300_000)]);
  return 0;
});
