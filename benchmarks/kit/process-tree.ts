// CPU time and memory of a process and all its descendants, from /proc (proc_pid_stat(5)).
import { readdirSync, readFileSync } from "node:fs";

/** The unit of process times in /proc, on every Linux (`getconf CLK_TCK`). */
const TICK_MICROS = 10_000;

export interface ProcessTimes {
  readonly pid: number;
  readonly parent: number;
  /** User and system time of all threads, also of those that ended, µs. */
  readonly ownMicros: number;
  /** The same of children that ended and were waited for, µs. */
  readonly reapedMicros: number;
}

/** Parses /proc/<pid>/stat. The second field, the command's name, may contain spaces and parentheses. */
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

/** `root` and its descendants. */
export function treeOf(root: number, all: readonly ProcessTimes[]): ProcessTimes[] {
  const members = new Set([root]);
  // A child's pid may be smaller than its parent's: repeat until nothing is added.
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
      // The process ended meanwhile.
    }
  }
  return all;
}

/** CPU time of a process and its descendants so far, µs, in steps of 10 ms. */
export function cpuMicros(root: number): number {
  return treeOf(root, readAll()).reduce(
    (sum, { ownMicros, reapedMicros }) => sum + ownMicros + reapedMicros,
    0,
  );
}

/** Sum of the peak resident memory of a process and its descendants (VmHWM), MiB. */
export function peakMemoryMiB(root: number): number {
  let kib = 0;
  for (const { pid } of treeOf(root, readAll())) {
    try {
      kib += Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0);
    } catch {
      // The process ended meanwhile.
    }
  }
  return kib / 1024;
}
