// What Kafka said of each event: confirmed, refused, or failed for now.

import type { KafkaError } from "@ingest/kafka";
import type { Client, OutcomeListener } from "./client.ts";
import type { DeliveryCore } from "./core.ts";
import { JournalRecord } from "./journal/cursor.ts";
import type { Quarantine } from "./quarantine.ts";
import { concernsRecord } from "./refused-batch.ts";
import { type Replayer, SETTING_PAUSE_MS } from "./replayer.ts";
import { TrackedEvent } from "./tracked-event.ts";

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
    if (core.suspects.size > 0) core.suspects.delete(entry);
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

  onFailed(client: Client, ticket: number, error: KafkaError, topic: string, partition: number): void {
    const core = this.#core;
    // The events of a former client were reclaimed when it was replaced.
    if (client.inFlight.get(ticket) === undefined || client.isReplaced || !core.isRunning) return;
    if (core.state.name !== "draining" && !this.#isRefusal(client, error)) {
      this.#onUnavailable(client, ticket, error);
      return;
    }
    // The client sends nothing after it. What was not on the wire may fail before what was refused.
    core.apply({ type: "batch_refused", nowMs: core.now() });
    client.failed++;
    if (concernsRecord(error)) client.refused.push({ ticket, error, topic, partition });
    else core.failures.add(error, true);
    this.#replayer.schedule();
  }

  /** Has the broker refused a batch, or has the client stopped, perhaps because of that? */
  #isRefusal(client: Client, error: KafkaError): boolean {
    if (isStopped(error)) return !client.holdsOne;
    return concernsRecord(error) && !client.isSending;
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
