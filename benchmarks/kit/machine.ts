// The machine that was measured on, and how busy all of it is.
import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { kafkaVersion } from "@ingest/broker";

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly bun: string;
  readonly kafka: string;
}

export function describeMachine(): Machine {
  const all = cpus();
  return {
    processor: all[0]?.model.trim() ?? "unknown",
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    bun: Bun.version,
    kafka: kafkaVersion(),
  };
}

/**
 * CPU time of the whole machine since boot, µs, with what a hypervisor took (`steal`). Source: the first line of
 * /proc/stat without `idle`, `iowait` and the guest times, which `user` and `nice` include (proc_stat(5)).
 */
export function machineBusyMicros(): number {
  const [user, nice, system, , , irq, softirq, steal] = readFileSync("/proc/stat", "latin1")
    .split("\n", 1)[0]!
    .split(/\s+/)
    .slice(1)
    .map(Number) as number[];
  return (user! + nice! + system! + irq! + softirq! + steal!) * 10_000;
}
