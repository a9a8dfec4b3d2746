// How many sockets and files this process may have open, and so how many connections.
import { readFileSync } from "node:fs";
import type { Log } from "@ingest/service";

/** Kept for other ends: the journal's files, the brokers' sockets, those of the runtime. */
const RESERVED = 1_000;

/** Undefined where the system doesn't tell. */
function maxDescriptors(): number | undefined {
  try {
    const [, text] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return text === undefined ? undefined : Number(text);
  } catch {
    return undefined;
  }
}

/** The number of connections that was asked for, or less where the process may not have so many descriptors. */
export function toMaxConnections(
  asked: number,
  log: Pick<Log, "warn">,
  descriptors: number | undefined = maxDescriptors(),
): number {
  if (descriptors === undefined) return asked;
  const most = Math.max(descriptors - RESERVED, Math.floor(descriptors / 2));
  if (asked <= most) return asked;
  log.warn(
    { asked, most, descriptors },
    "MAX_CONNECTIONS is more than this process's descriptors allow (ulimit -n): lowered",
  );
  return most;
}
