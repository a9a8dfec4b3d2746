// Several worker processes on one port (WORKERS). Each is a complete producer with a journal of its own.
import { availableParallelism } from "node:os";
import { countersOf, createMetrics, type Env, type Lifecycle, type Log } from "@ingest/service";
import { keepLimits, type LimitSettings } from "../callers/limits/index.ts";
import { quotaMetrics } from "../callers/limits/metrics.ts";
import type { Callers } from "../callers/parse-file.ts";
import { type CallersFileSettings, createReloader } from "../callers/read-file.ts";
import type { HttpSettings } from "../config.ts";
import { assertPortFree } from "../http/listen.ts";
import type { RouteSettings } from "../routes/settings.ts";
import type { Ports } from "../server.ts";
import type { TlsSettings } from "../tls/settings.ts";
import type { FromParent, FromWorker } from "./messages.ts";
import { MAX_MISSED, Supervisor, type WorkerProcess } from "./supervisor.ts";

export { aggregateHealth, leasesFrom, parentChannel } from "./worker.ts";

/** The index of a worker, from 0. Set by the parent only. */
const INDEX_ENV = "INGEST_WORKER";

/** Beyond SHUTDOWN_DELAY_MS and SHUTDOWN_TIMEOUT_MS, so that a worker's own limits apply first. */
const STOP_MARGIN_MS = 4_000;
/** Time for a killed worker to end. */
const KILL_MARGIN_MS = 1_000;

/** The number of worker processes. */
export function workerCount({ WORKERS }: Pick<HttpSettings, "WORKERS">): number {
  return WORKERS === "auto" ? availableParallelism() : WORKERS;
}

/** The index of this worker; undefined in the parent, or when there is only one process. */
export function workerIndex(env: Env): number | undefined {
  const text = env[INDEX_ENV];
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}

export interface SuperviseOptions {
  /** The script that a worker runs. */
  main: string;
  env: Env;
  settings: HttpSettings & CallersFileSettings & LimitSettings & RouteSettings & TlsSettings;
  /** What CALLERS_FILE contains, when it is set. */
  callers: Callers | undefined;
  log: Log;
  lifecycle: Lifecycle;
}

/** Starts the workers. Resolves with the ports once all of them listen. */
export async function superviseWorkers(options: SuperviseOptions): Promise<Ports> {
  const { main, env, settings, log, lifecycle } = options;
  const count = workerCount(settings);
  const registry = createMetrics();
  const limits = keepLimits(settings, options.callers, log);
  let { callers } = options;
  const supervisor = new Supervisor({
    count,
    port: settings.PORT,
    spawn: (index, port, onMessage) => {
      const workerEnv = { ...env, PORT: String(port), WORKERS: String(count), [INDEX_ENV]: String(index) };
      return spawnWorker(main, workerEnv, callers?.text, onMessage);
    },
    registry,
    log,
    pingMs: settings.WORKER_HUNG_MS / MAX_MISSED,
    startTimeoutMs: settings.WORKER_START_TIMEOUT_MS,
    // Only workers with CALLERS_FILE ask for tokens, and all have the same settings.
    lend: (request) => limits!.limiters.lend(request),
  });
  if (limits !== undefined) {
    quotaMetrics(registry, limits);
    await lifecycle.start({ name: "limits", start: limits.start, stop: limits.stop });
  }
  countersOf(
    registry,
    "worker_restarts_total",
    "Worker restarts by reason: the worker ended, hung, or did not start in time",
    "reason",
    () => supervisor.restarts,
  );
  if (callers !== undefined) {
    // Workers read the file by themselves. This is for those that are restarted while it is invalid.
    const replace = (next: Callers) => {
      callers = next;
    };
    const reloader = createReloader(settings, callers, { replace }, log);
    lifecycle.onReload(() => reloader.reload());
    await lifecycle.start({ name: "callers", start: () => reloader.start(), stop: () => reloader.stop() });
  }
  if (callers !== undefined || settings.ROUTES_FILE !== undefined || settings.TLS_CERT !== undefined)
    lifecycle.onReload(() => supervisor.signal("SIGHUP"));
  // With SO_REUSEPORT another service could share the port and get a part of the requests.
  assertPortFree(settings.HOST, settings.PORT);
  if (settings.ADMIN_PORT !== undefined) assertPortFree(settings.ADMIN_HOST, settings.ADMIN_PORT);
  const stopMs = settings.SHUTDOWN_DELAY_MS + settings.SHUTDOWN_TIMEOUT_MS + STOP_MARGIN_MS;
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
  return { port, ...(settings.ADMIN_PORT !== undefined && { adminPort: settings.ADMIN_PORT }) };
}

/** @param callersText what CALLERS_FILE contained when it was last valid */
function spawnWorker(
  main: string,
  env: Env,
  callersText: string | undefined,
  onMessage: (message: FromWorker) => void,
): WorkerProcess {
  const child = Bun.spawn([process.execPath, main], {
    env: { ...env },
    stdio: [callersText === undefined ? "ignore" : Buffer.from(callersText), "inherit", "inherit"],
    ipc: (message) => onMessage(message as FromWorker),
    // Ctrl-C at a terminal reaches the parent alone, which forwards it once.
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
