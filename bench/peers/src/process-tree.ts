// CPU time and memory of a process and all its descendants, from /proc (proc_pid_stat(5)).
import { readdirSync, readFileSync } from "node:fs";

/** Linux reports process times in these units to user space, whatever the kernel's own tick is (`getconf CLK_TCK`). */
const TICK_MICROS = 10_000;

export interface ProcessTimes {
  readonly pid: number;
  readonly parent: number;
  /** User and system time of all threads, ended ones included, µs. */
  readonly ownMicros: number;
  /** The same of children that ended and were waited for. */
  readonly reapedMicros: number;
}

/** Reads the text of /proc/<pid>/stat. The second field, the command's name, may hold blanks and brackets. */
export function parseStat(text: string): ProcessTimes {
  const rest = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const ticks = (field: number) => Number(rest[field - 3]) * TICK_MICROS;
  return {
    pid: Number.parseInt(text, 10),
    parent: Number(rest[4 - 3]),
    ownMicros: ticks(14) + ticks(15),
    reapedMicros: ticks(16) + ticks(17),
  };
}

/** `root` and its descendants out of all processes. */
export function treeOf(root: number, all: readonly ProcessTimes[]): ProcessTimes[] {
  const members = new Set([root]);
  // A child's pid may be smaller than its parent's: go round until nothing is added.
  for (let size = 0; size !== members.size; ) {
    size = members.size;
    for (const { pid, parent } of all) if (members.has(parent)) members.add(pid);
  }
  return all.filter(({ pid }) => members.has(pid));
}

function readAll(): ProcessTimes[] {
  const all: ProcessTimes[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      all.push(parseStat(readFileSync(`/proc/${name}/stat`, "latin1")));
    } catch {
      // It ended meanwhile.
    }
  }
  return all;
}

/** CPU time of the tree so far, µs, in steps of 10 ms. */
export function cpuMicros(root: number): number {
  return treeOf(root, readAll()).reduce(
    (sum, { ownMicros, reapedMicros }) => sum + ownMicros + reapedMicros,
    0,
  );
}

/** The most memory that the processes of the tree had resident, each at its own highest, summed up, MiB. */
export function peakMemoryMiB(root: number): number {
  let kib = 0;
  for (const { pid } of treeOf(root, readAll())) {
    try {
      kib += Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0);
    } catch {
      // It ended meanwhile.
    }
  }
  return kib / 1024;
}
