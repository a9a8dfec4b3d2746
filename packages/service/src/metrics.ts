// A service's metrics. Counters on the hot path are plain numbers; a scrape reads them.
import { Counter, Gauge, Registry } from "prom-client";
import { version } from "./version.ts";

export { Counter, Gauge, Registry };

/** The prefix of this project's metrics. */
export const METRIC_PREFIX = "ingest_";

/** A registry with the process's own metrics: memory, CPU time, start time, version. */
export function createMetrics(): Registry {
  const registry = new Registry();
  gauge(registry, "process_resident_memory_bytes", "Resident memory of the process", () =>
    process.memoryUsage.rss(),
  );
  counterOf(registry, "process_cpu_seconds_total", "CPU time of the process, user and system", () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  gauge(
    registry,
    "process_start_time_seconds",
    "Unix time at which the process started",
    () => startTime,
    "min",
  );
  new Gauge({
    name: `${METRIC_PREFIX}build_info`,
    help: "1, with the version of this service and of Bun as labels",
    labelNames: ["version", "bun"],
    registers: [registry],
    aggregator: "max",
  }).set({ version, bun: Bun.version }, 1);
  return registry;
}

const startTime = Date.now() / 1000 - process.uptime();

/** How the values of several processes are combined. */
export type Aggregator = "sum" | "min" | "max" | "average";

/** A gauge whose value each scrape reads. */
export function gauge(
  registry: Registry,
  name: string,
  help: string,
  read: () => number,
  aggregator: Aggregator = "sum",
): void {
  new Gauge({
    name: `${METRIC_PREFIX}${name}`,
    help,
    registers: [registry],
    aggregator,
    collect() {
      this.set(read());
    },
  });
}

/** Exposes a counter that is kept elsewhere, as a plain number that only grows. */
export function counterOf(registry: Registry, name: string, help: string, read: () => number): void {
  new Counter({
    name: `${METRIC_PREFIX}${name}`,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

/** Exposes counters that are kept elsewhere as plain numbers, one for each value of `label`. */
export function countersOf(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  read: () => Readonly<Record<string, number>>,
): void {
  new Counter({
    name: `${METRIC_PREFIX}${name}`,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      this.reset();
      for (const [value, count] of Object.entries(read())) this.inc({ [label]: value }, count);
    },
  });
}
