// Starts steps in order and stops them in reverse. Each step has its own budget, so that a stuck one doesn't delay the others.
import { settlesWithin } from "@ingest/wait";
import type { Log } from "./log.ts";

/** A part of a service that starts and stops. */
export interface Step {
  name: string;
  start?(): Promise<void> | void;
  stop?(): Promise<void> | void;
  /** How long `stop` may take, ms. */
  stopBudgetMs?: number;
}

const DEFAULT_STOP_BUDGET_MS = 5_000;

export class Lifecycle {
  readonly #log: Log;
  readonly #started: Step[] = [];
  readonly #reloads: (() => void)[] = [];
  #stopping: Promise<boolean> | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Has `stop` been called? */
  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  /** Registers what SIGHUP reloads; without any, SIGHUP stops the service. */
  onReload(reload: () => void): void {
    this.#reloads.push(reload);
  }

  /** Reloads what can be. @returns false when nothing can */
  reload(): boolean {
    for (const reload of this.#reloads) reload();
    return this.#reloads.length > 0;
  }

  /** Starts one step. A step whose start fails doesn't count as started; the caller stops the others. */
  async start(step: Step): Promise<void> {
    await step.start?.();
    this.#started.push(step);
  }

  /** Stops every started step, newest first. True when each stopped without an error and in time; later calls share the first one's result. */
  stop(): Promise<boolean> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<boolean> {
    let clean = true;
    for (const step of this.#started.reverse()) {
      const budgetMs = step.stopBudgetMs ?? DEFAULT_STOP_BUDGET_MS;
      try {
        const isStopped = await settlesWithin(Promise.resolve(step.stop?.()), budgetMs);
        if (!isStopped) throw new Error(`not stopped within ${budgetMs} ms`);
      } catch (error) {
        clean = false;
        this.#log.error({ step: step.name, budgetMs, error }, "step did not stop cleanly");
      }
    }
    return clean;
  }
}
