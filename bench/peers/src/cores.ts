// Which cores the measured server has to itself, and which are left for the broker, the load and this process.
import { availableParallelism } from "node:os";

export interface Cores {
  /** taskset lists, as `0` or `1-3`; undefined where nothing can be pinned. */
  readonly server: string | undefined;
  readonly load: string | undefined;
  /** For a server on two cores, and for the load that it gets: cores of their own only where there are four. */
  readonly two: string | undefined;
  readonly loadBesideTwo: string | undefined;
  /** The words for the report. */
  readonly words: string;
}

/** Divides the machine: core 0 for the server, the next ones for everything else. */
export function divideCores(
  count: number = availableParallelism(),
  canPin = Bun.which("taskset") !== null,
): Cores {
  if (!canPin || count < 2) {
    const words = canPin ? "one core for everything" : "not pinned: there is no taskset";
    return { server: undefined, load: undefined, two: undefined, loadBesideTwo: undefined, words };
  }
  const last = count - 1;
  const load = last === 1 ? "1" : `1-${last}`;
  return {
    server: "0",
    load,
    two: "0-1",
    loadBesideTwo: count >= 4 ? `2-${last}` : "0-1",
    words: `server on core 0; broker, load generator and harness on ${last === 1 ? "core 1" : `cores ${load}`}`,
  };
}

/** The command on these cores; it ends with this process, however that ends. As it is where nothing can be pinned. */
export function pinned(cores: string | undefined, command: readonly string[]): string[] {
  if (cores === undefined) return [...command];
  const guard = Bun.which("setpriv") === null ? [] : ["setpriv", "--pdeathsig", "KILL", "--"];
  return [...guard, "taskset", "-c", cores, ...command];
}

/** Moves this process, and so every child that it starts later without `pinned`, to these cores. */
export function pinSelf(cores: string | undefined): void {
  if (cores !== undefined) Bun.spawnSync(["taskset", "-a", "-p", "-c", cores, String(process.pid)]);
}
