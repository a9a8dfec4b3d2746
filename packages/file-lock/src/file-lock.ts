// A lock between processes, held by the kernel. Only built-in modules here: the native addon's build uses it.
import { Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

const POLL_MS = 100;

/**
 * A file lock that ends with its process, however that ends. So there is no stale lock to detect, and no process ids,
 * which two containers may share. The lock is SQLite's: Bun has no call for the kernel's own.
 */
export class FileLock {
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Takes the lock if nobody holds it, this process included. Keep the result: a lock that is garbage collected is
   * released.
   * @param path a file for the lock alone, made with its folder when missing, and left behind empty
   * @returns undefined when it is held
   * @throws an error of the file system's or of SQLite's when the file can't be made or locked
   */
  static tryTake(path: string): FileLock | undefined {
    let database: Database | undefined;
    try {
      mkdirSync(dirname(path), { recursive: true });
      database = new Database(path, { create: true });
      // With its own journal in memory SQLite writes nothing, so the lock can be taken on a full disk.
      database.run("PRAGMA journal_mode = MEMORY");
      database.run("PRAGMA locking_mode = EXCLUSIVE");
      database.run("BEGIN EXCLUSIVE");
      return new FileLock(database);
    } catch (error) {
      database?.close();
      if ((error as { code?: string }).code === "SQLITE_BUSY") return undefined;
      throw error;
    }
  }

  release(): void {
    this.#database.close();
  }
}

/**
 * Runs `work` while holding the lock `path`, and waits for it as long as it takes.
 * @param onWait called once when the lock is held by another
 * @throws what the work throws, and what `FileLock.tryTake` throws
 */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  onWait: () => void = () => {},
): Promise<T> {
  let lock = FileLock.tryTake(path);
  if (lock === undefined) onWait();
  while (lock === undefined) {
    await Bun.sleep(POLL_MS);
    lock = FileLock.tryTake(path);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}
