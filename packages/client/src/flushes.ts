// Calls of `flush` that wait for the fate of events.
import type { Platform } from "./platform.ts";
import type { QueuedEvent } from "./queue.ts";
import type { FlushResult } from "./types.ts";

interface Flush {
  readonly waiting: Set<QueuedEvent>;
  end(): void;
}

export class Flushes {
  readonly #open = new Set<Flush>();

  constructor(private readonly platform: Pick<Platform, "setTimer" | "clearTimer">) {}

  get isAny(): boolean {
    return this.#open.size > 0;
  }

  start(events: Iterable<QueuedEvent>, timeoutMs: number): Promise<FlushResult> {
    return new Promise((resolve) => {
      const waiting = new Set(events);
      const flush = {
        waiting,
        end: () => {
          this.platform.clearTimer(timer);
          this.#open.delete(flush);
          resolve({ pending: waiting.size });
        },
      };
      const timer = this.platform.setTimer(flush.end, timeoutMs);
      this.#open.add(flush);
    });
  }

  /** More events to wait for: those that a store kept. */
  add(events: readonly QueuedEvent[]): void {
    for (const { waiting } of this.#open) for (const event of events) waiting.add(event);
  }

  /** These events have a fate. */
  settle(events: Iterable<QueuedEvent>): void {
    if (this.#open.size === 0) return;
    for (const event of events) for (const { waiting } of this.#open) waiting.delete(event);
  }

  endComplete(): void {
    for (const flush of this.#open) if (flush.waiting.size === 0) flush.end();
  }

  endAll(): void {
    for (const flush of this.#open) flush.end();
  }
}
