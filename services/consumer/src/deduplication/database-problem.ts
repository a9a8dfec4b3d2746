// Checks the file of the deduplication before the consumer starts.
import { Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

/** Why SQLite cannot keep a database in the file, as the end of a sentence; undefined when it can. Creates a missing file. */
export function databaseProblem(path: string): string | undefined {
  if (path === ":memory:") return undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    return `must be in a folder that exists or can be created: ${(error as Error).message}`;
  }
  let database: Database | undefined;
  try {
    database = new Database(path, { create: true, strict: true });
    // Reads the file's header, and takes the lock that a write needs.
    database.run("BEGIN IMMEDIATE");
    database.run("ROLLBACK");
    return undefined;
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    // Another consumer that shares the file writes to it now.
    return code === "SQLITE_BUSY" ? undefined : `must be a SQLite file that can be written: ${message}`;
  } finally {
    database?.close();
  }
}
