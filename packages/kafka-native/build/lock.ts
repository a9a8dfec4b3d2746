// Keeps two installs that run at once from doing the same build twice.
import { closeSync, openSync, readFileSync, rmSync, statSync, utimesSync, writeSync } from "node:fs";

const heartbeatMs = 5_000;
// A holder on another machine or in another container (a shared cache) cannot be asked whether it lives.
const staleMs = 60_000;
const pollMs = 500;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function isStale(path: string): boolean {
  try {
    const [host, pid] = readFileSync(path, "utf8").split(" ");
    if (host === hostName() && pid && !isAlive(Number(pid))) return true;
    return Date.now() - statSync(path).mtimeMs > staleMs;
  } catch {
    return false; // Gone in between: the next attempt decides.
  }
}

function hostName(): string {
  return process.env.HOSTNAME || "local";
}

function tryAcquire(path: string): boolean {
  try {
    const file = openSync(path, "wx");
    writeSync(file, `${hostName()} ${process.pid}`);
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  }
}

/**
 * Runs `body` while holding the lock file `path`. Waits for another holder, and takes over from one that has
 * died. `onWait` is called once when there is something to wait for.
 */
export async function withLock<T>(path: string, onWait: () => void, body: () => Promise<T>): Promise<T> {
  let waiting = false;
  while (!tryAcquire(path)) {
    if (isStale(path)) {
      rmSync(path, { force: true });
      continue;
    }
    if (!waiting) onWait();
    waiting = true;
    await Bun.sleep(pollMs);
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimesSync(path, now, now);
  }, heartbeatMs);
  try {
    return await body();
  } finally {
    clearInterval(heartbeat);
    rmSync(path, { force: true });
  }
}
