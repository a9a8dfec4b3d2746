// The processes that a process has started.
import { readdirSync, readFileSync } from "node:fs";

/** The process ids of a process's children (Linux). The fourth field of /proc/<pid>/stat is the parent's (proc(5)). */
export function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      if (!Number.isInteger(pid)) return false;
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === parent;
      } catch {
        return false; // It has exited meanwhile.
      }
    });
}
