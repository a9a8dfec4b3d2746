// The parent of several workers: starts them, starts a dead one again, asks them all when one is asked, ends them.
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
  firstPauseMs?: number;
}

interface Slot {
  readonly index: number;
  process: WorkerProcess | undefined;
  isListening: boolean;
  startedMs: number;
  pauseMs: number;
  restart: Timer | undefined;
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;
/** A worker that lived so long died of something new: the next pause is the first one again. */
const SETTLED_MS = 30_000;
const REPORT_TIMEOUT_MS = 1_000;

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #slots: Slot[];
  readonly #reports = new Exchange<WorkerReport>();
  #port: number;
  #isStopping = false;
  /** Workers that were started again. */
  restarts = 0;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#port = options.port;
    const pauseMs = options.firstPauseMs ?? FIRST_PAUSE_MS;
    this.#slots = Array.from({ length: options.count }, (_, index) => ({
      index,
      process: undefined,
      isListening: false,
      startedMs: 0,
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
    const [first, ...others] = this.#slots;
    this.#port = await this.#startFirst(first!);
    await Promise.all(others.map((slot) => this.#startFirst(slot)));
    return this.#port;
  }

  /** Ends all workers as they end by themselves. @throws Error when one of them didn't end well */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const ends = this.#slots.map(async (slot) => {
      clearTimeout(slot.restart);
      slot.process?.kill("SIGTERM");
      const end = await slot.process?.exited;
      return end === undefined || end.code === 0 ? [] : [`worker ${slot.index} ended with ${describe(end)}`];
    });
    const bad = (await Promise.all(ends)).flat();
    if (bad.length > 0) throw new Error(bad.join("; "));
  }

  #startFirst(slot: Slot): Promise<number> {
    return new Promise((resolve, reject) => this.#spawn(slot, resolve, reject));
  }

  #spawn(slot: Slot, onListening?: (port: number) => void, onEarlyEnd?: (error: Error) => void): void {
    slot.startedMs = performance.now();
    slot.isListening = false;
    const worker = this.#options.spawn(slot.index, this.#port, (message) => {
      if (message.type === "listening") {
        slot.isListening = true;
        onListening?.(message.port);
      } else if (message.type === "reported") this.#reports.answered(message.id, message);
      else void this.#answer(worker, message.id);
    });
    slot.process = worker;
    void worker.exited.then((end) => {
      slot.process = undefined;
      if (!slot.isListening && onEarlyEnd)
        onEarlyEnd(new Error(`worker ${slot.index} ended with ${describe(end)} before it listened`));
      else if (!this.#isStopping) this.#restartLater(slot, worker.pid, end);
      slot.isListening = false;
    });
  }

  #restartLater(slot: Slot, pid: number, end: { code: number | null; signal: string | null }): void {
    const { log, firstPauseMs = FIRST_PAUSE_MS } = this.#options;
    if (performance.now() - slot.startedMs > SETTLED_MS) slot.pauseMs = firstPauseMs;
    const { index: worker, pauseMs } = slot;
    log.error({ worker, pid, ...end, pauseMs }, "a worker ended: starting it again");
    slot.restart = setTimeout(() => {
      this.restarts++;
      this.#spawn(slot);
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
