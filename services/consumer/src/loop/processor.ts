// What becomes of one record: handled, tried again, a dead letter, or left to the partition's next owner.
import type { ConsumedRecord } from "@ingest/kafka";
import type { Log } from "@ingest/service";
import { type BackoffSettings, backoffMs, pause } from "@ingest/wait";
import type { Counters } from "../counters.ts";
import type { DeadLetters } from "../dead-letter/dead-letters.ts";
import { decode } from "../decode.ts";
import { type EventHandler, PermanentFailure } from "../handler.ts";
import type { SeenEvents } from "../once/seen-events.ts";
import { Item } from "./item.ts";
import type { PartitionWork } from "./partition-work.ts";

export interface ProcessorOptions {
  handler: EventHandler;
  /** How often a handler is called with one event at most; 0: until it succeeds. */
  maxTries: number;
  backoff: BackoffSettings;
  deadLetters: DeadLetters;
  /** Undefined: an event that comes twice is handled twice. */
  seen: SeenEvents | undefined;
  counters: Counters;
  log: Log;
}

export class Processor {
  readonly #options: ProcessorOptions;

  constructor(options: ProcessorOptions) {
    this.#options = options;
  }

  /**
   * One record's turn. It is read only now: what waits is as small as it came. Undefined when the turn was over at once:
   * a promise an event would cost more than the event.
   */
  readonly work = (work: PartitionWork, record: ConsumedRecord): Promise<void> | undefined => {
    const decoded = decode(record.value);
    if (typeof decoded !== "string") return this.#begin(new Item(work, record, decoded));
    // It has no part in any order, so nothing waits for it.
    work.alongside(this.#putAside(work, record, { reason: "not_an_event", cause: decoded, tries: 0 }));
    return undefined;
  };

  #begin(item: Item): Promise<void> | undefined {
    const { seen, counters } = this.#options;
    const claim = seen?.claim(item) ?? true;
    if (typeof claim !== "boolean") return this.#afterFormer(item, claim);
    if (!claim) {
      counters.duplicates++;
      this.#done(item);
      return undefined;
    }
    const outcome = this.#try(item);
    if (outcome === undefined) {
      this.#handled(item);
      return undefined;
    }
    return this.#follow(item, outcome);
  }

  /**
   * A handler of the partition's former assignment still has the event. Beside it the event could be handled twice, and
   * its failure would be nobody's: what it comes to decides. Its signal has told it to end; one that never does is a stall.
   */
  async #afterFormer(item: Item, former: Promise<void>): Promise<void> {
    const { closing } = item.work;
    const closed = new Promise<void>((resolve) => {
      closing.addEventListener("abort", () => resolve(), { once: true });
    });
    await Promise.race([former, closed]);
    if (closing.aborted) this.#options.counters.abandoned++;
    else await this.#begin(item);
  }

  /** @returns undefined when handled, a failure, or a promise of either */
  #try(item: Item): Promise<Failure | undefined> | Failure | undefined {
    item.tries++;
    try {
      const result = this.#options.handler.handle(item.event, item);
      return result === undefined ? undefined : this.#timed(result);
    } catch (thrown) {
      return new Failure(thrown);
    }
  }

  async #timed(result: Promise<void>): Promise<Failure | undefined> {
    const startedAt = performance.now();
    try {
      await result;
      return undefined;
    } catch (thrown) {
      return new Failure(thrown);
    } finally {
      this.#options.counters.handleTime.add(performance.now() - startedAt);
    }
  }

  /** Waits for a try and, while it fails, for the next ones. */
  async #follow(item: Item, first: Promise<Failure | undefined> | Failure): Promise<void> {
    const { counters, log } = this.#options;
    let isHeld = false;
    try {
      for (let outcome = await first; ; outcome = await this.#try(item)) {
        if (item.work.fenced.aborted) return this.#endFenced(item, outcome === undefined);
        if (outcome === undefined) return this.#handled(item);
        counters.failed++;
        item.work.failedTry();
        const isLast = outcome.isPermanent || item.tries === this.#options.maxTries;
        if (isLast) return await this.#handlerGaveUp(item, outcome);
        if (!isHeld) item.work.hold();
        isHeld = true;
        const pauseMs = backoffMs(item.tries, this.#options.backoff);
        log.warn(
          {
            ...placeOf(item.record),
            tries: item.tries,
            retry_in_ms: Math.round(pauseMs),
            cause: outcome.cause,
          },
          "handler failed",
        );
        if (!(await pause(pauseMs, item.work.closing))) return this.#endFenced(item, false);
        counters.retried++;
      }
    } finally {
      if (isHeld) item.work.unhold();
    }
  }

  async #handlerGaveUp(item: Item, failure: Failure): Promise<void> {
    const { cause } = failure;
    await this.#putAside(item.work, item.record, { reason: "handler_failed", cause, tries: item.tries });
    // A dead letter that is put back is to be handled, not taken for a copy; and so is what was given up.
    this.#options.seen?.release(item);
  }

  /** Until it is done with, or its partition is given up. */
  async #putAside(
    work: PartitionWork,
    record: ConsumedRecord,
    why: { reason: "not_an_event" | "handler_failed"; cause: string; tries: number },
  ): Promise<void> {
    const { counters, deadLetters, log } = this.#options;
    const place = placeOf(record);
    if (why.reason === "not_an_event") {
      counters.notAnEvent++;
      log.warn({ ...place, cause: why.cause }, "record is not an event");
    }
    const outcome = await deadLetters.put(record, why, work.closing);
    if (outcome === "abandoned" || work.fenced.aborted) {
      counters.abandoned++;
      return;
    }
    if (outcome === "stored") counters.deadLettered++;
    else counters.dropped++;
    if (why.reason === "handler_failed")
      log.error({ ...place, tries: why.tries, cause: why.cause, dead_letter: outcome }, "event not handled");
    work.finish(record);
  }

  #handled(item: Item): void {
    const { counters, seen } = this.#options;
    counters.handled++;
    if (item.timestampMs >= 0) counters.delay.add(Math.max(Date.now() - item.timestampMs, 0));
    seen?.handled(item);
    this.#done(item);
  }

  #done(item: Item): void {
    item.work.finish(item.record);
  }

  /** It is the partition's next owner's; when it was handled all the same, that is worth remembering. */
  #endFenced(item: Item, isHandled: boolean): void {
    const { counters, seen } = this.#options;
    counters.abandoned++;
    if (isHandled) seen?.handled(item);
    else seen?.release(item);
  }
}

class Failure {
  readonly cause: string;
  readonly isPermanent: boolean;

  constructor(thrown: unknown) {
    this.isPermanent = thrown instanceof PermanentFailure;
    this.cause = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  }
}

function placeOf({ topic, partition, offset }: ConsumedRecord) {
  return { topic, partition, offset };
}
