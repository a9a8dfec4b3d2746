// The plan by which a seed orders a run's faults, and its execution.
import type { Random } from "@ingest/testkit";
import type { Component, Fault, System } from "./fault.ts";

/** A fault with its time in the run. */
export interface PlannedFault {
  fault: Fault;
  /** The index of a broker, drawn for every fault. */
  broker: number;
  startMs: number;
  durationMs: number;
}

/** The share of faults that begin while the one before is still active. */
const OVERLAP_SHARE = 0.3;
const REST_MS = [500, 3_000] as const;

/** A run's faults: the same for the same random numbers. The last one has ended by `totalMs`. */
export function planFaults(
  random: Random,
  totalMs: number,
  candidates: readonly Fault[],
  brokers: number,
): PlannedFault[] {
  const plan: PlannedFault[] = [];
  let startMs = 1_000;
  for (;;) {
    const disturbed = plan
      .filter((other) => other.startMs + other.durationMs > startMs)
      .flatMap(({ fault }) => fault.components);
    const free = candidates.filter(({ components }) => !components.some((one) => disturbed.includes(one)));
    const fault = random.weighted(free.length > 0 ? free : candidates);
    const durationMs = random.between(...fault.durationMs);
    const broker = random.below(brokers);
    const isOverlapping = random.chance(OVERLAP_SHARE);
    const restMs = random.between(...REST_MS);
    if (free.length > 0) {
      if (startMs + durationMs > totalMs) return plan;
      plan.push({ fault, broker, startMs, durationMs });
    }
    const last = plan[plan.length - 1]!;
    startMs += isOverlapping && free.length > 0 ? last.durationMs / 2 : last.durationMs + restMs;
  }
}

/** Injects the planned faults at their times. One that takes long to end, such as a broker's restart, delays others. */
export async function injectFaults(
  plan: readonly PlannedFault[],
  system: System,
  report: (text: string) => void,
): Promise<void> {
  const start = performance.now();
  const untilMs = (ms: number) => Bun.sleep(Math.max(0, start + ms - performance.now()));
  const active = new Map<Component, Promise<void>>();
  for (const { fault, broker, startMs, durationMs } of plan) {
    await untilMs(startMs);
    await Promise.all(fault.components.map((component) => active.get(component)));
    report(`${fault.name} (broker ${broker + 1}, ${(durationMs / 1000).toFixed(1)} s)`);
    await fault.begin(system, broker);
    const ended = Bun.sleep(durationMs).then(() => fault.end(system, broker));
    for (const component of fault.components) active.set(component, ended);
  }
  await Promise.all(active.values());
}
