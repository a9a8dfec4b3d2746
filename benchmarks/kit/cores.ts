// Divides the machine: cores for the measured server, cores for the broker, the load generator and the benchmark itself.
import { availableParallelism } from "node:os";

export interface Cores {
  /** taskset lists, as `0` or `1-3`; undefined where nothing can be pinned. */
  readonly server: string | undefined;
  readonly load: string | undefined;
  /** For a server on two cores and for its load generator. They share cores where there are fewer than four. */
  readonly two: string | undefined;
  readonly loadBesideTwo: string | undefined;
  /** For the report. */
  readonly description: string;
}

/** Core 0 goes to the server, the others to everything else. */
export function divideCores(
  count: number = availableParallelism(),
  canPin = Bun.which("taskset") !== null,
): Cores {
  if (!canPin || count < 2) {
    const description = canPin ? "one core for everything" : "not pinned: taskset is not installed";
    return { server: undefined, load: undefined, two: undefined, loadBesideTwo: undefined, description };
  }
  const last = count - 1;
  const load = last === 1 ? "1" : `1-${last}`;
  return {
    server: "0",
    load,
    two: "0-1",
    loadBesideTwo: count >= 4 ? `2-${last}` : "0-1",
    description: `server on core 0; broker, load generator and harness on ${last === 1 ? "core 1" : `cores ${load}`}`,
  };
}

/** Runs a command on these cores, and kills it when this process dies. Unchanged where nothing can be pinned. */
export function pinned(cores: string | undefined, command: readonly string[]): string[] {
  if (cores === undefined) return [...command];
  const killOnDeath = Bun.which("setpriv") === null ? [] : ["setpriv", "--pdeathsig", "KILL", "--"];
  return [...killOnDeath, "taskset", "-c", cores, ...command];
}

/** Moves this process to these cores, and with it every child that it starts without `pinned`. */
export function pinSelf(cores: string | undefined): void {
  if (cores !== undefined) Bun.spawnSync(["taskset", "-a", "-p", "-c", cores, String(process.pid)]);
}
