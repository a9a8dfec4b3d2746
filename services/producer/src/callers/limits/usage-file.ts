// What callers have sent each day, in a SQLite file. One process has it open.
import { Database } from "bun:sqlite";
import { mkdirSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import type { Log } from "@ingest/service";
import type { Usage, UsageStore } from "./usage.ts";

/** Older days are deleted when the file is opened. */
const KEPT_DAYS = 31;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS usage (
    day INTEGER NOT NULL,
    caller TEXT NOT NULL,
    events INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (day, caller)
  ) WITHOUT ROWID`;

const ADD = `
  INSERT INTO usage (day, caller, events, bytes) VALUES (?1, ?2, ?3, ?4)
  ON CONFLICT DO UPDATE SET events = events + ?3, bytes = bytes + ?4`;

/**
 * Nothing is synced to disk: what the process has written survives its end, however it ends. A power failure can damage the
 * file; then it is set aside, and the counts of that day begin anew.
 */
export class UsageFile implements UsageStore {
  #database: Database | undefined;
  #isFailing = false;
  /** Failed reads and writes. */
  failures = 0;

  constructor(
    readonly path: string,
    private readonly log: Log,
  ) {}

  load(day: number): ReadonlyMap<string, Usage> | undefined {
    return this.#attempt((database) => {
      const rows = database
        .query<{ caller: string } & Usage, [number]>("SELECT caller, events, bytes FROM usage WHERE day = ?")
        .all(day);
      return new Map(rows.map(({ caller, events, bytes }) => [caller, { events, bytes }]));
    }, day);
  }

  add(day: number, used: ReadonlyMap<string, Readonly<Usage>>): boolean {
    const isAdded = this.#attempt((database) => {
      const statement = database.query(ADD);
      database.transaction(() => {
        for (const [caller, { events, bytes }] of used) statement.run(day, caller, events, bytes);
      })();
      return true;
    }, day);
    return isAdded === true;
  }

  close(): void {
    this.#database?.close();
    this.#database = undefined;
  }

  #attempt<T>(action: (database: Database) => T, day: number): T | undefined {
    try {
      this.#database ??= open(this.path, day, this.log);
      const result = action(this.#database);
      if (this.#isFailing) this.log.info({ file: this.path }, "quota file works again");
      this.#isFailing = false;
      return result;
    } catch (error) {
      this.failures++;
      if (!this.#isFailing)
        this.log.error({ file: this.path, error }, "quota file failed: counting quotas in memory alone");
      this.#isFailing = true;
      // Opened anew by the next attempt: a file that was replaced, say, is not the one that is open.
      this.#database?.close();
      this.#database = undefined;
      return undefined;
    }
  }
}

function open(path: string, day: number, log: Log): Database {
  mkdirSync(dirname(path), { recursive: true });
  try {
    return openDatabase(path, day);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== "SQLITE_CORRUPT" && code !== "SQLITE_NOTADB") throw error;
    const damaged = `${path}.damaged`;
    renameSync(path, damaged);
    log.error({ file: path, damaged, error }, "quota file damaged: set aside, counting from zero");
    return openDatabase(path, day);
  }
}

function openDatabase(path: string, day: number): Database {
  const database = new Database(path, { create: true, strict: true });
  try {
    database.run("PRAGMA locking_mode = EXCLUSIVE");
    database.run("PRAGMA journal_mode = TRUNCATE");
    database.run("PRAGMA synchronous = OFF");
    database.run(SCHEMA);
    database.run("DELETE FROM usage WHERE day < ?", [day - KEPT_DAYS]);
    const { quick_check: result } = database.query<{ quick_check: string }, []>("PRAGMA quick_check").get()!;
    if (result !== "ok") throw Object.assign(new Error(result), { code: "SQLITE_CORRUPT" });
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
