// What Kafka said of each event: confirmed, refused, or failed for now.

import type { KafkaError } from "@ingest/kafka";
import type { Client, OutcomeListener } from "./client.ts";
import type { DeliveryCore } from "./core.ts";
import { JournalRecord } from "./journal/cursor.ts";
import type { Quarantine } from "./quarantine.ts";
import type { Replayer } from "./replayer.ts";
import { TrackedEvent } from "./tracked-event.ts";

/** Pause after a refusal that only an operator can mend, ms. */
const SETTING_PAUSE_MS = 1_000;

export class Outcomes implements OutcomeListener {
  readonly #core: DeliveryCore;
  readonly #replayer: Replayer;
  readonly #quarantine: Quarantine;

  constructor(core: DeliveryCore, replayer: Replayer, quarantine: Quarantine) {
    this.#core = core;
    this.#replayer = replayer;
    this.#quarantine = quarantine;
  }

  onDelivered(client: Client, ticket: number, topic: string, partition: number, offset: number): void {
    const core = this.#core;
    client.hasDelivered = true;
    const entry = client.inFlight.remove(ticket);
    if (entry === undefined) return;
    core.counts.delivered++;
    core.failing = undefined;
    if (entry instanceof JournalRecord) core.journal?.acknowledge(entry);
    else if (entry instanceof TrackedEvent) {
      if (entry.position) core.journal?.acknowledge(entry.position);
      if (entry.onOutcome) entry.settle({ status: "stored", topic, partition, offset });
    }
    if (core.isDirect) return;
    if (core.state.name !== "draining") core.window.grow();
    this.#replayer.schedule();
  }

  onFailed(client: Client, ticket: number, error: KafkaError): void {
    const core = this.#core;
    // The events of a former client were reclaimed when it was replaced.
    if (client.inFlight.get(ticket) === undefined || client.isReplaced || !core.isRunning) return;
    if (core.state.name === "draining") {
      core.failures.add(error, true);
      client.failed++;
      this.#replayer.schedule();
    } else if (isStopped(error) && !client.holdsOne) this.#onBatchRefused(client, error);
    else if (!concernsRecord(error) || error.isFatal || client.isSending)
      this.#onUnavailable(client, ticket, error);
    else if (client.holdsOne) this.#onRefused(client, ticket, error);
    else this.#onBatchRefused(client, error);
  }

  /**
   * The broker refused several records together, and the client sends none after them: each is sent again. What was not on
   * the wire may fail before those that were refused.
   */
  #onBatchRefused(client: Client, error: KafkaError): void {
    const core = this.#core;
    core.failures.add(error, true);
    client.failed = 1;
    core.startSpooling({ type: "batch_refused", nowMs: core.now() }, "a batch was refused");
    this.#replayer.schedule();
  }

  /** The broker refused this record alone. */
  #onRefused(client: Client, ticket: number, error: KafkaError): void {
    const core = this.#core;
    const entry = client.inFlight.get(ticket)!;
    const isAwaited = entry instanceof TrackedEvent && entry.isStored;
    if (error.fault !== "record" && core.journal && !isAwaited) {
      this.#onUnavailable(client, ticket, error);
      return;
    }
    core.failures.add(error, false);
    client.inFlight.remove(ticket);
    this.#quarantine.abandon(entry, error);
    // After a refusal the client sends nothing more.
    core.startSpooling({ type: "batch_refused", nowMs: core.now() }, "an event was refused");
    client.failed = 0;
    this.#replayer.schedule();
  }

  /** The failure says nothing against the record: with a journal, it is sent again with all that follow it. */
  #onUnavailable(client: Client, ticket: number, error: KafkaError): void {
    const core = this.#core;
    const entry = client.inFlight.get(ticket)!;
    const isRetried = core.journal !== undefined;
    core.failing = error;
    core.failures.add(error, isRetried);
    if (isRetried && error.fault === "setting" && entry instanceof TrackedEvent && entry.isStored)
      entry.settle(core.refusals.refuseFor(error));
    // Other events may be behind it in the client, and so may the one being sent at this moment.
    if (isRetried)
      core.reclaim({
        isRecreated: error.isFatal || concernsRecord(error) || !client.holdsOne,
        isStalled: error.code === "timed_out",
        ...(error.fault === "setting" ? { pauseMs: SETTING_PAUSE_MS } : {}),
      });
    client.inFlight.remove(ticket);
    if (isRetried) return;
    this.#quarantine.abandon(entry, error);
    if (error.isFatal) core.reclaim({ isRecreated: true });
  }
}

/** Has the client stopped sending, so that this says nothing of the record? */
function isStopped({ isFatal, code }: KafkaError): boolean {
  return isFatal || code === "abandoned";
}

/** Is it about what a record contains, so that other records may be taken? */
function concernsRecord({ fault, code }: KafkaError): boolean {
  return fault === "record" || fault === "batch" || code === "invalid_timestamp";
}
