// Several processes on one port: WORKERS in the settings. Each is a whole producer, with a journal of its own.
import { availableParallelism } from "node:os";
import { countersOf, createMetrics, type Env, type Lifecycle, type Log } from "@ingest/service";
import type { HttpSettings } from "../config.ts";
import { assertPortFree } from "../http/listen.ts";
import type { FromParent, FromWorker } from "./messages.ts";
import { MAX_MISSED, Supervisor, type WorkerProcess } from "./supervisor.ts";

export { aggregateHealth, parentChannel } from "./worker.ts";

/** Tells a worker which one it is, from 0. Nobody else sets it. */
const INDEX_ENV = "INGEST_WORKER";

/** A worker ends by its own limits first. */
const STOP_MARGIN_MS = 4_000;
/** What the end of one that had to be killed may take. */
const KILL_MARGIN_MS = 1_000;

/** How many processes answer. */
export function workerCount({ WORKERS }: Pick<HttpSettings, "WORKERS">): number {
  return WORKERS === "auto" ? availableParallelism() : WORKERS;
}

/** Which worker this process is; undefined in a parent, or where there is one process only. */
export function workerIndex(env: Env): number | undefined {
  const text = env[INDEX_ENV];
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}

export interface SuperviseOptions {
  /** The program that a worker runs. */
  main: string;
  env: Env;
  settings: HttpSettings;
  log: Log;
  lifecycle: Lifecycle;
}

/** Starts the workers. Resolves with the port once each of them listens. */
export async function superviseWorkers(options: SuperviseOptions): Promise<{ port: number }> {
  const { main, env, settings, log, lifecycle } = options;
  const count = workerCount(settings);
  const registry = createMetrics();
  const supervisor = new Supervisor({
    count,
    port: settings.PORT,
    spawn: (index, port, onMessage) => {
      const workerEnv = { ...env, PORT: String(port), WORKERS: String(count), [INDEX_ENV]: String(index) };
      return spawnWorker(main, workerEnv, onMessage);
    },
    registry,
    log,
    pingMs: settings.WORKER_HUNG_MS / MAX_MISSED,
    startTimeoutMs: settings.WORKER_START_TIMEOUT_MS,
  });
  countersOf(
    registry,
    "worker_restarts_total",
    "Workers that were started again: they ended, hung, or didn't come up",
    "reason",
    () => supervisor.restarts,
  );
  // Workers share the port with whatever else lets it be shared: another service would get a part of the requests.
  assertPortFree(settings.HOST, settings.PORT);
  const stopMs = settings.SHUTDOWN_TIMEOUT_MS + STOP_MARGIN_MS;
  let port = settings.PORT;
  await lifecycle.start({
    name: "workers",
    async start() {
      try {
        port = await supervisor.start();
      } catch (error) {
        await supervisor.stop(stopMs).catch(() => undefined);
        throw error;
      }
    },
    stop: () => supervisor.stop(stopMs),
    stopBudgetMs: stopMs + KILL_MARGIN_MS,
  });
  return { port };
}

function spawnWorker(main: string, env: Env, onMessage: (message: FromWorker) => void): WorkerProcess {
  const child = Bun.spawn([process.execPath, main], {
    env: { ...env },
    stdio: ["ignore", "inherit", "inherit"],
    ipc: (message) => onMessage(message as FromWorker),
    // Ctrl-C at a terminal goes to the parent alone, which passes it on once.
    detached: true,
  });
  return {
    pid: child.pid,
    send: (message: FromParent) => child.send(message),
    kill: (signal) => child.kill(signal),
    exited: child.exited.then(() => ({
      code: child.exitCode,
      signal: child.signalCode === null ? null : String(child.signalCode),
    })),
  };
}
