// Looks for every event of a run in the topic and compares with what the answers promised.
import { numberOf } from "../load/events.ts";
import { Fate, type Ledger } from "../load/ledger.ts";
import type { VerificationReport } from "../report/schema.ts";
import { type EventTopic, type Offsets, TopicUnreachableError } from "./event-topic.ts";

export interface VerifyPlan {
  readonly topic: EventTopic;
  readonly topicName: string;
  /** Where the topic ended before the first event was sent. */
  readonly start: Offsets;
  readonly runId: string;
  readonly ledger: Ledger;
  /** How many events of the ledger are accepted. */
  readonly accepted: number;
  /** Gives up when no event of this run has been found for so long. */
  readonly idleMs: number;
  /** Ends the search at once. */
  readonly signal: AbortSignal;
  readonly onProgress: (stored: number) => void;
}

/** Between two looks at a topic that had nothing new. */
const POLL_MS = 100;
const MAX_MISSING_IDS = 20;

/**
 * Reads the topic until every accepted event has been found, nothing new comes for `idleMs`, or the signal.
 * @throws TopicUnreachableError when Kafka stays away for `idleMs`
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
      const trouble = await this.#readToEnd();
      if (trouble === undefined && this.#stored === accepted) {
        // One more look: the second copy of an event may stand right behind where the first look ended.
        await Bun.sleep(POLL_MS);
        await this.#readToEnd();
        return this.#report(true);
      }
      if (performance.now() - this.#lastFoundAt >= idleMs) {
        if (trouble === undefined) return this.#report(true);
        throw new TopicUnreachableError(
          `--verify lost topic "${topicName}" after ${this.#stored} of ${accepted} events: ${trouble.message}`,
          { cause: trouble },
        );
      }
      await Bun.sleep(POLL_MS);
    }
    return this.#report(false);
  }

  /** Reads on to where the topic ends now. @returns what kept it from doing so: a broker may be back by the next look */
  async #readToEnd(): Promise<Error | undefined> {
    const { topic, signal, onProgress } = this.plan;
    try {
      const to = await topic.ends();
      if ([...to].every(([partition, end]) => (this.#position.get(partition) ?? 0) >= end)) return undefined;
      for await (const records of topic.read(new Map(this.#position), to)) {
        for (const record of records) {
          // Kept record by record: what a broken read has counted isn't counted again by the next.
          this.#position.set(record.partition, record.offset + 1);
          this.#recordsRead++;
          this.#note(record.value);
        }
        onProgress(this.#stored);
        if (signal.aborted) return undefined;
      }
      // Past the last record there may be a transaction's marker, which is an offset without a record.
      for (const [partition, end] of to) this.#position.set(partition, end);
      return undefined;
    } catch (thrown) {
      return thrown instanceof Error ? thrown : new Error(String(thrown));
    }
  }

  #note(value: Uint8Array | null): void {
    const n = value === null ? undefined : numberOf(this.plan.runId, eventIdOf(value) ?? "");
    if (n === undefined || n >= this.plan.ledger.size) return;
    this.#lastFoundAt = performance.now();
    const sightings = this.plan.ledger.addSighting(n);
    if (sightings === 2) this.#duplicated++;
    if (sightings !== 1) return;
    const fate = this.plan.ledger.fateOf(n);
    if (fate === Fate.Accepted) this.#stored++;
    else if (fate === Fate.Refused) this.#refusedStored++;
    else this.#unknownStored++;
  }

  #report(complete: boolean): VerificationReport {
    const { ledger, runId, accepted, topicName } = this.plan;
    const missing = accepted - this.#stored;
    const missingIds: string[] = [];
    for (let n = 0; n < ledger.size && missingIds.length < Math.min(missing, MAX_MISSING_IDS); n++) {
      if (ledger.fateOf(n) === Fate.Accepted && ledger.sightingsOf(n) === 0) missingIds.push(`${runId}-${n}`);
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
    const event = JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString()) as {
      event_id?: unknown;
    } | null;
    return typeof event?.event_id === "string" ? event.event_id : undefined;
  } catch {
    return undefined;
  }
}
