// The parent of several workers: starts them, starts a dead or hung one again, asks them all when one is asked, ends
// them.
import type { Log, Registry } from "@ingest/service";
import { aggregate, type WorkerState } from "./aggregate.ts";
import { Exchange } from "./exchange.ts";
import type { FromParent, FromWorker, WorkerReport } from "./messages.ts";

/** A running process, as far as it is needed here. */
export interface WorkerProcess {
  readonly pid: number;
  send(message: FromParent): void;
  kill(signal: NodeJS.Signals): void;
  /** How it ended: the exit code, or null and the signal. */
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
}

export interface SupervisorOptions {
  count: number;
  /** Where to listen; 0: the first worker takes a free port, and the others share it. */
  port: number;
  spawn(index: number, port: number, onMessage: (message: FromWorker) => void): WorkerProcess;
  /** The parent's own figures. */
  registry: Registry;
  log: Log;
  /** A worker that listens is asked this often, ms, whether it is alive; `MAX_MISSED` asks without an answer end it. */
  pingMs: number;
  /** A worker that doesn't listen so long after its start is ended, ms. */
  startTimeoutMs: number;
  firstPauseMs?: number;
}

/** Why a worker was started again: it ended by itself, or the parent ended it. */
export type RestartReason = "ended" | "hung" | "not_started";

interface Slot {
  readonly index: number;
  process: WorkerProcess | undefined;
  isListening: boolean;
  startedMs: number;
  /** Asks in a row without an answer. */
  missed: number;
  startTimer: Timer | undefined;
  /** Why the parent ended it, if it did. */
  killedFor: Exclude<RestartReason, "ended"> | undefined;
  pauseMs: number;
  restart: Timer | undefined;
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;
/** A worker that lived so long died of something new: the next pause is the first one again. */
const SETTLED_MS = 30_000;
const REPORT_TIMEOUT_MS = 1_000;
/** Asks are counted, not the time: a parent that was itself stopped for a while has asked nobody meanwhile. */
export const MAX_MISSED = 5;

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #slots: Slot[];
  readonly #reports = new Exchange<WorkerReport>();
  readonly #pongs = new Exchange<true>();
  #pingTimer: Timer | undefined;
  #port: number;
  #isStopping = false;
  /** Workers that were started again. */
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
   * Starts the first worker, and once it listens the others.
   * @returns the port
   * @throws Error when a worker ends before it listens: what ails it at the start won't be mended by trying again
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
   * Ends all workers as they end by themselves, and by force those that haven't within `budgetMs`.
   * @throws Error when one of them didn't end well
   */
  async stop(budgetMs: number): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#pingTimer);
    const force = setTimeout(() => {
      for (const { index: worker, process } of this.#slots) {
        if (process === undefined) continue;
        this.#options.log.error({ worker, pid: process.pid, budgetMs }, "a worker did not stop: ending it");
        process.kill("SIGKILL");
      }
    }, budgetMs);
    const ends = this.#slots.map(async (slot) => {
      clearTimeout(slot.restart);
      slot.process?.kill("SIGTERM");
      const end = await slot.process?.exited;
      return end === undefined || end.code === 0 ? [] : [`worker ${slot.index} ended with ${describe(end)}`];
    });
    const bad = (await Promise.all(ends)).flat();
    clearTimeout(force);
    if (bad.length > 0) throw new Error(bad.join("; "));
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
      } else if (message.type === "reported") this.#reports.answered(message.id, message);
      else if (message.type === "pong") this.#pongs.answered(message.id, true);
      else void this.#answer(worker, message.id);
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

  /** Asks whether it still answers; its share of the connections hangs while it doesn't. */
  async #ping(slot: Slot): Promise<void> {
    const { process, isListening } = slot;
    if (process === undefined || !isListening) return;
    const answer = await this.#pongs.ask((id) => process.send({ type: "ping", id }), this.#options.pingMs);
    if (slot.process !== process || this.#isStopping) return;
    slot.missed = answer ? 0 : slot.missed + 1;
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
    log.error({ worker, reason, ...details, pauseMs }, "a worker ended: starting it again");
    slot.restart = setTimeout(() => {
      try {
        this.#spawn(slot);
        this.restarts[reason]++;
      } catch (error) {
        // The machine has no process or descriptor to spare now; it may have later.
        this.#restartLater(slot, { error });
      }
    }, pauseMs);
    slot.pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }

  /** A worker wants to know of all. */
  async #answer(asker: WorkerProcess, id: number): Promise<void> {
    const states = await Promise.all(this.#slots.map((slot) => this.#reportOf(slot)));
    try {
      asker.send({ type: "answered", id, ...(await aggregate(states, this.#options.registry)) });
    } catch (error) {
      // The asker is gone, or figures don't add up: it answers for itself then.
      this.#options.log.debug({ error }, "a worker could not be answered");
    }
  }

  async #reportOf({ index, process, isListening }: Slot): Promise<WorkerState> {
    if (process === undefined || !isListening) return { index };
    const report = await this.#reports.ask((id) => process.send({ type: "report", id }), REPORT_TIMEOUT_MS);
    return report === undefined ? { index } : { index, report };
  }
}

function describe({ code, signal }: { code: number | null; signal: string | null }): string {
  return signal === null ? `exit code ${code}` : signal;
}
