// Looks for every event of a run in the topic, and compares what it finds with the responses.
import { withoutWirePrefix } from "@ingest/contract";
import { numberOf } from "../load/events.ts";
import { EventOutcome, type Ledger } from "../load/ledger.ts";
import type { VerificationReport } from "../report/schema.ts";
import { type EventTopic, type Offsets, TopicUnreachableError } from "./event-topic.ts";

export interface VerifyPlan {
  readonly topic: EventTopic;
  readonly topicName: string;
  /** The end offsets before the first event was sent. */
  readonly start: Offsets;
  readonly runId: string;
  readonly ledger: Ledger;
  /** Number of accepted events in the ledger. */
  readonly accepted: number;
  /** Gives up when no event of this run has been found for this long. */
  readonly idleMs: number;
  /** Ends the verification at once. */
  readonly signal: AbortSignal;
  readonly onProgress: (stored: number) => void;
}

/** Between two reads of a topic without new records. */
const POLL_MS = 100;
const MAX_MISSING_IDS = 20;

/**
 * Reads the topic until every accepted event has been found, nothing new arrives for `idleMs`, or the signal aborts.
 * @throws TopicUnreachableError when Kafka is unavailable for `idleMs`
 */
export async function verify(plan: VerifyPlan): Promise<VerificationReport> {
  return await new Verification(plan).run();
}

class Verification {
  readonly #startedAt = performance.now();
  readonly #position: Offsets;
  #lastFoundAt = this.#startedAt;
  #stored = 0;
  #duplicated = 0;
  #unknownStored = 0;
  #refusedStored = 0;
  #recordsRead = 0;

  constructor(private readonly plan: VerifyPlan) {
    this.#position = new Map(plan.start);
  }

  async run(): Promise<VerificationReport> {
    const { accepted, idleMs, signal, topicName } = this.plan;
    while (!signal.aborted) {
      const error = await this.#readToEnd();
      if (error === undefined && this.#stored === accepted) {
        // One more read: a duplicate may directly follow the last record read.
        await Bun.sleep(POLL_MS);
        await this.#readToEnd();
        return this.#report(true);
      }
      if (performance.now() - this.#lastFoundAt >= idleMs) {
        if (error === undefined) return this.#report(true);
        throw new TopicUnreachableError(
          `--verify lost topic "${topicName}" after ${this.#stored} of ${accepted} events: ${error.message}`,
          { cause: error },
        );
      }
      await Bun.sleep(POLL_MS);
    }
    return this.#report(false);
  }

  /** Reads to the current end of the topic. @returns the error that interrupted it, which the next read may not meet */
  async #readToEnd(): Promise<Error | undefined> {
    const { topic, signal, onProgress } = this.plan;
    try {
      const to = await topic.ends();
      if ([...to].every(([partition, end]) => (this.#position.get(partition) ?? 0) >= end)) return undefined;
      for await (const records of topic.read(new Map(this.#position), to)) {
        for (const record of records) {
          // Advances with each record, so that a read after a failed one counts no record twice.
          this.#position.set(record.partition, record.offset + 1);
          this.#recordsRead++;
          this.#countRecord(record.value);
        }
        onProgress(this.#stored);
        if (signal.aborted) return undefined;
      }
      // A transaction marker at the end occupies an offset without being a record.
      for (const [partition, end] of to) this.#position.set(partition, end);
      return undefined;
    } catch (thrown) {
      return thrown instanceof Error ? thrown : new Error(String(thrown));
    }
  }

  #countRecord(value: Uint8Array | null): void {
    const n = value === null ? undefined : numberOf(this.plan.runId, eventIdOf(value) ?? "");
    if (n === undefined || n >= this.plan.ledger.size) return;
    this.#lastFoundAt = performance.now();
    const occurrences = this.plan.ledger.addOccurrence(n);
    if (occurrences === 2) this.#duplicated++;
    if (occurrences !== 1) return;
    const outcome = this.plan.ledger.outcomeOf(n);
    if (outcome === EventOutcome.Accepted) this.#stored++;
    else if (outcome === EventOutcome.Refused) this.#refusedStored++;
    else this.#unknownStored++;
  }

  #report(complete: boolean): VerificationReport {
    const { ledger, runId, accepted, topicName } = this.plan;
    const missing = accepted - this.#stored;
    const missingIds: string[] = [];
    for (let n = 0; n < ledger.size && missingIds.length < Math.min(missing, MAX_MISSING_IDS); n++) {
      if (ledger.outcomeOf(n) === EventOutcome.Accepted && ledger.occurrencesOf(n) === 0)
        missingIds.push(`${runId}-${n}`);
    }
    const until = missing === 0 ? this.#lastFoundAt : performance.now();
    return {
      topic: topicName,
      accepted,
      stored: this.#stored,
      missing,
      duplicated: this.#duplicated,
      unknownStored: this.#unknownStored,
      refusedStored: this.#refusedStored,
      recordsRead: this.#recordsRead,
      seconds: Math.round(until - this.#startedAt) / 1000,
      complete,
      missingIds,
    };
  }
}

function eventIdOf(value: Uint8Array): string | undefined {
  try {
    const event = JSON.parse(
      withoutWirePrefix(Buffer.from(value.buffer, value.byteOffset, value.byteLength)).toString(),
    ) as {
      event_id?: unknown;
    } | null;
    return typeof event?.event_id === "string" ? event.event_id : undefined;
  } catch {
    return undefined;
  }
}
