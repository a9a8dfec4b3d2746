// The parent of several workers: starts and stops them, restarts a worker that ended or hangs, and aggregates their
// reports.
import type { Log, Registry } from "@ingest/service";
import type { Lease, LeaseRequest } from "../callers/limits/lease.ts";
import { aggregate, type WorkerState } from "./aggregate.ts";
import type { FromParent, FromWorker, WorkerReport } from "./messages.ts";
import { RequestReply } from "./request-reply.ts";

/** The part of a child process that the supervisor uses. */
export interface WorkerProcess {
  readonly pid: number;
  send(message: FromParent): void;
  kill(signal: NodeJS.Signals): void;
  /** How it ended: the exit code, or null and the signal. */
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
}

export interface SupervisorOptions {
  count: number;
  /** The port to listen on; 0: the first worker takes a free port, and the others share it. */
  port: number;
  spawn(index: number, port: number, onMessage: (message: FromWorker) => void): WorkerProcess;
  /** The parent's own metrics. */
  registry: Registry;
  log: Log;
  /** Interval of pings to each listening worker, ms. After `MAX_MISSED` pings without a reply the worker is killed. */
  pingMs: number;
  /** A worker that isn't listening this long after its start is killed, ms. */
  startTimeoutMs: number;
  firstPauseMs?: number;
  /** Lends tokens of callers' limits to a worker, and takes back what it has left. */
  lend(request: LeaseRequest): Lease;
}

/** Why a worker was restarted: it ended by itself, or the parent killed it. */
export type RestartReason = "ended" | "hung" | "not_started";

interface Slot {
  readonly index: number;
  process: WorkerProcess | undefined;
  isListening: boolean;
  startedMs: number;
  /** Consecutive pings without a reply. */
  missed: number;
  startTimer: Timer | undefined;
  /** Why the parent killed it, if it did. */
  killedFor: Exclude<RestartReason, "ended"> | undefined;
  pauseMs: number;
  restart: Timer | undefined;
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;
/** A worker that ran this long before it ended is restarted after the first pause again. */
const SETTLED_MS = 30_000;
const REPORT_TIMEOUT_MS = 1_000;
/** Pings are counted rather than time: a parent that was itself suspended has sent none meanwhile. */
export const MAX_MISSED = 5;

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #slots: Slot[];
  readonly #reports = new RequestReply<WorkerReport>();
  readonly #pongs = new RequestReply<true>();
  #pingTimer: Timer | undefined;
  #port: number;
  #isStopping = false;
  /** Restarts by reason. */
  readonly restarts: Record<RestartReason, number> = { ended: 0, hung: 0, not_started: 0 };

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#port = options.port;
    const pauseMs = options.firstPauseMs ?? FIRST_PAUSE_MS;
    this.#slots = Array.from({ length: options.count }, (_, index) => ({
      index,
      process: undefined,
      isListening: false,
      startedMs: 0,
      missed: 0,
      startTimer: undefined,
      killedFor: undefined,
      pauseMs,
      restart: undefined,
    }));
  }

  /**
   * Starts the first worker, and the others once it listens.
   * @returns the port
   * @throws Error when a worker ends before it listens: restarting it would hardly help
   */
  async start(): Promise<number> {
    this.#pingTimer = setInterval(() => {
      for (const slot of this.#slots) void this.#ping(slot);
    }, this.#options.pingMs);
    const [first, ...others] = this.#slots;
    this.#port = await this.#startFirst(first!);
    await Promise.all(others.map((slot) => this.#startFirst(slot)));
    return this.#port;
  }

  /**
   * Sends SIGTERM to all workers, and SIGKILL to those still running after `budgetMs`.
   * @throws Error when a worker's exit code isn't 0
   */
  async stop(budgetMs: number): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#pingTimer);
    const force = setTimeout(() => {
      for (const { index: worker, process } of this.#slots) {
        if (process === undefined) continue;
        this.#options.log.error(
          { worker, pid: process.pid, budgetMs },
          "worker did not stop in time: killing it",
        );
        process.kill("SIGKILL");
      }
    }, budgetMs);
    const ends = this.#slots.map(async (slot) => {
      clearTimeout(slot.restart);
      slot.process?.kill("SIGTERM");
      const end = await slot.process?.exited;
      return end === undefined || end.code === 0 ? [] : [`worker ${slot.index} ended with ${describe(end)}`];
    });
    const failures = (await Promise.all(ends)).flat();
    clearTimeout(force);
    if (failures.length > 0) throw new Error(failures.join("; "));
  }

  /** Forwards a signal to each worker that listens: one that is starting may not handle it yet. */
  signal(signal: NodeJS.Signals): void {
    for (const { process, isListening } of this.#slots) if (isListening) process?.kill(signal);
  }

  #startFirst(slot: Slot): Promise<number> {
    return new Promise((resolve, reject) => this.#spawn(slot, resolve, reject));
  }

  #spawn(slot: Slot, onListening?: (port: number) => void, onEarlyEnd?: (error: Error) => void): void {
    slot.startedMs = performance.now();
    slot.isListening = false;
    slot.missed = 0;
    slot.killedFor = undefined;
    const worker = this.#options.spawn(slot.index, this.#port, (message) => {
      if (message.type === "listening") {
        clearTimeout(slot.startTimer);
        slot.isListening = true;
        onListening?.(message.port);
      } else if (message.type === "worker_report") this.#reports.onReply(message.id, message);
      else if (message.type === "pong") this.#pongs.onReply(message.id, true);
      else if (message.type === "get_service_report") void this.#sendServiceReport(worker, message.id);
      else this.#lend(worker, message);
    });
    slot.process = worker;
    slot.startTimer = setTimeout(() => this.#kill(slot, "not_started"), this.#options.startTimeoutMs);
    void worker.exited.then((end) => {
      clearTimeout(slot.startTimer);
      slot.process = undefined;
      if (!slot.isListening && onEarlyEnd)
        onEarlyEnd(new Error(`worker ${slot.index} ended with ${describe(end)} before it listened`));
      else if (!this.#isStopping) this.#restartLater(slot, { pid: worker.pid, ...end });
      slot.isListening = false;
    });
  }

  /** Checks that the worker responds: otherwise its share of the connections would hang. */
  async #ping(slot: Slot): Promise<void> {
    const { process, isListening } = slot;
    if (process === undefined || !isListening) return;
    const pong = await this.#pongs.request((id) => process.send({ type: "ping", id }), this.#options.pingMs);
    if (slot.process !== process || this.#isStopping) return;
    slot.missed = pong ? 0 : slot.missed + 1;
    if (slot.missed === MAX_MISSED) this.#kill(slot, "hung");
  }

  #kill(slot: Slot, reason: Exclude<RestartReason, "ended">): void {
    slot.killedFor = reason;
    slot.process?.kill("SIGKILL");
  }

  #restartLater(slot: Slot, details: object): void {
    const { log, firstPauseMs = FIRST_PAUSE_MS } = this.#options;
    if (performance.now() - slot.startedMs > SETTLED_MS) slot.pauseMs = firstPauseMs;
    const { index: worker, pauseMs, killedFor: reason = "ended" } = slot;
    log.error({ worker, reason, ...details, pauseMs }, "worker ended: restarting it");
    slot.restart = setTimeout(() => {
      try {
        this.#spawn(slot);
        this.restarts[reason]++;
      } catch (error) {
        // The system is out of processes or file descriptors now; later it may not be.
        this.#restartLater(slot, { error });
      }
    }, pauseMs);
    slot.pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }

  #lend(worker: WorkerProcess, message: FromWorker & { type: "get_lease" | "return_lease" }): void {
    const lease = this.#options.lend(message);
    if (message.type === "return_lease") return;
    try {
      worker.send({ type: "lease", id: message.id, ...lease });
    } catch (error) {
      // What it was lent is lost with it.
      this.#options.log.debug({ error }, "sending tokens to a worker failed: it has ended");
    }
  }

  /** Sends the report of the whole service to a worker. */
  async #sendServiceReport(worker: WorkerProcess, id: number): Promise<void> {
    const states = await Promise.all(this.#slots.map((slot) => this.#reportOf(slot)));
    try {
      worker.send({
        type: "service_report",
        id,
        ...(await aggregate(states, this.#options.registry, this.#isStopping)),
      });
    } catch (error) {
      // The worker has ended, or metrics can't be aggregated: it responds with its own report then.
      this.#options.log.debug({ error }, "sending the service report to a worker failed");
    }
  }

  async #reportOf({ index, process, isListening }: Slot): Promise<WorkerState> {
    if (process === undefined || !isListening) return { index };
    const report = await this.#reports.request(
      (id) => process.send({ type: "get_worker_report", id }),
      REPORT_TIMEOUT_MS,
    );
    return report === undefined ? { index } : { index, report };
  }
}

function describe({ code, signal }: { code: number | null; signal: string | null }): string {
  return signal === null ? `exit code ${code}` : signal;
}
