// The limit of open files and sockets, and what it leaves for connections.
import { readFileSync } from "node:fs";
import type { Log } from "@ingest/service";

/** Descriptors for everything else: the journal's files, sockets to brokers, the runtime. */
const RESERVED = 1_000;

/** RLIMIT_NOFILE of this process; undefined where the system does not report it. */
function readFdLimit(): number | undefined {
  try {
    const [, text] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return text === undefined ? undefined : Number(text);
  } catch {
    return undefined;
  }
}

/** The requested number of connections, or fewer where the limit of descriptors requires it. */
export function toMaxConnections(
  requested: number,
  log: Pick<Log, "warn">,
  fdLimit: number | undefined = readFdLimit(),
): number {
  if (fdLimit === undefined) return requested;
  const affordable = Math.max(fdLimit - RESERVED, Math.floor(fdLimit / 2));
  if (requested <= affordable) return requested;
  log.warn(
    { requested, affordable, fdLimit },
    "MAX_CONNECTIONS lowered: it exceeds the limit of file descriptors (ulimit -n)",
  );
  return affordable;
}
