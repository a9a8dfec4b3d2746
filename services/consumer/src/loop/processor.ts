// Decides each record's outcome: handled, retried, dead-lettered, or left to the partition's next owner.
import type { ConsumedRecord, TopicPartitionOffset } from "@ingest/kafka";
import { type Log, redactUrls } from "@ingest/service";
import { type BackoffSettings, backoffMs } from "@ingest/wait";
import type { Counters } from "../counters.ts";
import type { DeadLetterCause, DeadLetters } from "../dead-letter/dead-letter-topic.ts";
import { decodeRecord } from "../decode-record.ts";
import type { SeenEvents } from "../deduplication/seen-events.ts";
import { type EventHandler, PermanentFailure, RetryLater } from "../handler.ts";
import { InFlightEvent, type Refuse } from "./in-flight-event.ts";
import type { PartitionTask } from "./partition-task.ts";

export interface ProcessorOptions {
  handler: EventHandler;
  /** Calls of the handler for one event at most; 0: until it succeeds. */
  maxTries: number;
  backoff: BackoffSettings;
  /** Records that are nested deeper are not events. */
  maxJsonDepth: number;
  deadLetters: DeadLetters;
  /** Undefined: duplicates are handled like any event. */
  seen: SeenEvents | undefined;
  counters: Counters;
  log: Log;
}

/** A receiver that asks for more is tried again all the same. */
const MAX_RETRY_AFTER_MS = 300_000;

export class Processor {
  readonly #options: ProcessorOptions;

  constructor(options: ProcessorOptions) {
    this.#options = options;
  }

  /**
   * Processes one record when its lane reaches it. Decoding waits until then, so that queued records stay small.
   * Returns undefined when the record finished synchronously: a promise for each event would cost more than the event.
   */
  readonly process = (task: PartitionTask, record: ConsumedRecord): Promise<void> | undefined => {
    const decoded = decodeRecord(record, this.#options.maxJsonDepth);
    if (typeof decoded !== "string")
      return this.#begin(new InFlightEvent(task, record, decoded, this.#refuse));
    // A record that is not an event has no order to keep, so its lane doesn't wait for it.
    task.trackUnordered(this.#deadLetter(task, record, { reason: "not_an_event", cause: decoded, tries: 0 }));
    return undefined;
  };

  #begin(inFlight: InFlightEvent): Promise<void> | undefined {
    const { seen, counters } = this.#options;
    const claim = seen?.claim(inFlight) ?? true;
    if (typeof claim !== "boolean") return this.#afterPreviousHandler(inFlight, claim);
    if (!claim) {
      counters.duplicates++;
      finish(inFlight);
      return undefined;
    }
    const outcome = this.#try(inFlight);
    if (outcome === undefined) {
      this.#handled(inFlight);
      return undefined;
    }
    return this.#retryUntilFinished(inFlight, outcome);
  }

  /**
   * Waits for the handler that still runs from the partition's previous assignment: its outcome decides whether this
   * event is a duplicate. Its signal is aborted already; a handler that ignores it shows up as a stall.
   */
  async #afterPreviousHandler(inFlight: InFlightEvent, previous: Promise<void>): Promise<void> {
    const { closing } = inFlight.task;
    const closed = new Promise<void>((resolve) => {
      closing.addEventListener("abort", () => resolve(), { once: true });
    });
    await Promise.race([previous, closed]);
    if (closing.aborted) this.#options.counters.abandoned++;
    else await this.#begin(inFlight);
  }

  /** @returns undefined when handled, the failure, or a promise of either */
  #try(inFlight: InFlightEvent): Promise<Failure | undefined> | Failure | undefined {
    inFlight.tries++;
    try {
      const result = this.#options.handler.handle(inFlight.event, inFlight);
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

  /** Waits for the first try, and retries while the handler fails. */
  async #retryUntilFinished(
    inFlight: InFlightEvent,
    first: Promise<Failure | undefined> | Failure,
  ): Promise<void> {
    const { counters, log } = this.#options;
    const { task } = inFlight;
    let isRetrying = false;
    try {
      for (let failure = await first; ; failure = await this.#try(inFlight)) {
        if (task.fenced.aborted) return this.#abandon(inFlight, failure === undefined);
        if (failure === undefined) return this.#handled(inFlight);
        counters.failed++;
        task.countFailedTry();
        const isLast = failure.isPermanent || inFlight.tries === this.#options.maxTries;
        if (isLast) return await this.#giveUp(inFlight, failure);
        if (!isRetrying) task.retryStarted();
        isRetrying = true;
        const pauseMs = Math.max(
          backoffMs(inFlight.tries, this.#options.backoff),
          Math.min(failure.retryAfterMs, MAX_RETRY_AFTER_MS),
        );
        log.warn(
          {
            ...toTopicPartitionOffset(inFlight.record),
            tries: inFlight.tries,
            retry_in_ms: Math.round(pauseMs),
            cause: failure.cause,
          },
          "handler failed: retrying",
        );
        if (!(await task.pauseBetweenTries(pauseMs))) return this.#abandon(inFlight, false);
        counters.retried++;
      }
    } finally {
      if (isRetrying) task.retryEnded();
    }
  }

  async #giveUp(inFlight: InFlightEvent, { cause }: Failure): Promise<void> {
    const { task, record, tries } = inFlight;
    await this.#deadLetter(task, record, { reason: "handler_failed", cause, tries });
    // The event was not handled: when it is replayed from the dead-letter topic, it must not count as a duplicate.
    this.#options.seen?.release(inFlight);
  }

  /** Its offset moves once the flush that refused it has succeeded, so that flush must not succeed before the write. */
  readonly #refuse: Refuse = async (inFlight, cause) => {
    const { counters, deadLetters, log, seen } = this.#options;
    const { record, task, tries } = inFlight;
    const why: DeadLetterCause = { reason: "handler_failed", cause: redactUrls(cause), tries };
    const outcome = await deadLetters.write(record, why, task.fenced);
    if (outcome === "abandoned" && !task.fenced.aborted) throw new Error("the dead letter was not written");
    if (outcome === "stored") counters.deadLettered++;
    if (outcome === "off") counters.dropped++;
    counters.handled--;
    log.error(
      { ...toTopicPartitionOffset(record), tries, cause: why.cause, dead_letter: outcome },
      "event not handled",
    );
    seen?.release(inFlight);
  };

  /** Resolves when the record is finished, or its partition is gone. */
  async #deadLetter(task: PartitionTask, record: ConsumedRecord, why: DeadLetterCause): Promise<void> {
    const { counters, deadLetters, log } = this.#options;
    const at = toTopicPartitionOffset(record);
    if (why.reason === "not_an_event") {
      counters.notAnEvent++;
      log.warn({ ...at, cause: why.cause }, "record is not an event");
    }
    const outcome = await deadLetters.write(record, why, task.closing);
    if (outcome === "abandoned" || task.fenced.aborted) {
      counters.abandoned++;
      return;
    }
    if (outcome === "stored") counters.deadLettered++;
    else counters.dropped++;
    if (why.reason === "handler_failed")
      log.error({ ...at, tries: why.tries, cause: why.cause, dead_letter: outcome }, "event not handled");
    task.finish(record);
  }

  #handled(inFlight: InFlightEvent): void {
    const { counters, seen } = this.#options;
    counters.handled++;
    if (inFlight.timestampMs >= 0) counters.delay.add(Math.max(Date.now() - inFlight.timestampMs, 0));
    seen?.handled(inFlight);
    finish(inFlight);
  }

  /** Leaves the event to the partition's next owner. If it was handled all the same, deduplication remembers it. */
  #abandon(inFlight: InFlightEvent, isHandled: boolean): void {
    const { counters, seen } = this.#options;
    counters.abandoned++;
    if (isHandled) seen?.handled(inFlight);
    else seen?.release(inFlight);
  }
}

class Failure {
  readonly cause: string;
  readonly isPermanent: boolean;
  readonly retryAfterMs: number;

  constructor(thrown: unknown) {
    this.retryAfterMs = thrown instanceof RetryLater ? thrown.afterMs : 0;
    this.isPermanent = thrown instanceof PermanentFailure;
    // It is logged, and written to the dead letter.
    this.cause = redactUrls(thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown));
  }
}

function finish({ task, record }: InFlightEvent): void {
  task.finish(record);
}

function toTopicPartitionOffset({ topic, partition, offset }: ConsumedRecord): TopicPartitionOffset {
  return { topic, partition, offset };
}
