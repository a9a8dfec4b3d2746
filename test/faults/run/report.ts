// What a fault run reports: its faults and acknowledgements, the audit, and every violated invariant.
import type { Audit } from "./audit.ts";
import type { Acknowledgement, Ledger } from "./ledger.ts";
import type { PlannedFault } from "./plan.ts";
import type { RestartableService } from "./restartable-service.ts";

export interface RunReport {
  seed: number;
  minutes: number;
  brokers: number;
  /** How often each fault was injected. */
  faults: Record<string, number>;
  /** Events by acknowledgement; `none` must be 0. */
  acknowledged: Record<Acknowledgement, number>;
  /** Responses that acknowledged nothing, after which the caller retried. */
  rejections: Record<string, number>;
  audit: Audit;
  producer: ServiceReport;
  consumers: ServiceReport[];
  /** Faults that this machine cannot have. */
  skippedFaults: string[];
  /** Violated invariants; empty when the run has passed. */
  failures: string[];
  /** Where the services' logs are. */
  folder: string;
}

interface ServiceReport {
  name: "producer" | "consumer";
  processes: number;
  unexpectedExits: number;
  peakRssMiB: number;
}

export interface RunResult {
  seed: number;
  minutes: number;
  brokers: number;
  plan: readonly PlannedFault[];
  skippedFaults: string[];
  ledger: Ledger;
  audit: Audit;
  producer: RestartableService;
  consumers: readonly RestartableService[];
  folder: string;
  /** What the system did not recover from by itself, in words. */
  unrecovered: readonly string[];
}

const MIB = 1024 * 1024;
/** The most resident memory of a process: queues are bounded, whatever the fault. */
const MEMORY_BUDGET_MIB = 400;

export function toReport(result: RunResult): RunReport {
  const { seed, minutes, brokers, plan, ledger, audit, skippedFaults, folder } = result;
  const faults: Record<string, number> = {};
  for (const { fault } of plan) faults[fault.name] = (faults[fault.name] ?? 0) + 1;
  const producer = toServiceReport(result.producer);
  const consumers = result.consumers.map(toServiceReport);
  return {
    seed,
    minutes,
    brokers,
    faults,
    acknowledged: ledger.totals(),
    rejections: ledger.rejections,
    audit,
    producer,
    consumers,
    skippedFaults,
    failures: [
      ...result.unrecovered.map((text) => `no recovery without operator intervention: ${text}`),
      ...auditFailures(audit),
      ...[producer, ...consumers].flatMap(serviceFailures),
    ],
    folder,
  };
}

function toServiceReport(service: RestartableService): ServiceReport {
  return {
    name: service.name,
    processes: service.processes.length,
    unexpectedExits: service.unexpectedExits.length,
    peakRssMiB: Math.round(service.peakRssBytes / MIB),
  };
}

function auditFailures(audit: Audit): string[] {
  const failures: string[] = [];
  for (const name of ["missing", "missingAccepted", "outOfOrder", "unhandled"] as const)
    if (audit[name] > 0) failures.push(`${name}: ${audit[name]}`);
  const unknown = audit.duplicatesByCause.unknown ?? 0;
  if (unknown > 0) failures.push(`duplicates without a known cause: ${unknown}`);
  return failures;
}

function serviceFailures({ name, unexpectedExits, peakRssMiB }: ServiceReport): string[] {
  const failures: string[] = [];
  if (unexpectedExits > 0) failures.push(`unexpected exits of a ${name}: ${unexpectedExits}`);
  if (peakRssMiB > MEMORY_BUDGET_MIB)
    failures.push(`memory of a ${name}: ${peakRssMiB} MiB of ${MEMORY_BUDGET_MIB} MiB`);
  return failures;
}
