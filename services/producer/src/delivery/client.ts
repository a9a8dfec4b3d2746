// A Kafka client with the events that were handed to it and have no outcome yet.

import type { KafkaError } from "@ingest/kafka";
import { InFlightTable } from "./in-flight-table.ts";
import { JournalRecord } from "./journal/cursor.ts";
import type { RefusedRecord } from "./refused-batch.ts";
import type { Sink, SinkFactory, SinkRecord } from "./sink.ts";
import type { InFlightEvent } from "./tracked-event.ts";

/** What is done with the outcomes of a client's events. */
export interface OutcomeListener {
  onDelivered(client: Client, ticket: number, topic: string, partition: number, offset: number): void;
  onFailed(client: Client, ticket: number, error: KafkaError, topic: string, partition: number): void;
}

export class Client {
  readonly sink: Sink;
  readonly inFlight = new InFlightTable<InFlightEvent>();
  /** Kafka confirmed at least one of its records. */
  hasDelivered = false;
  /** Another client has taken its place. */
  isReplaced = false;
  /** While draining: how many of the events in flight have failed. */
  failed = 0;
  /** Those of them that the broker refused for what is in their batch. */
  readonly refused: RefusedRecord[] = [];
  /** A record is being handed to it at this moment: it is not in the table yet. */
  isSending = false;

  /** @param owner its listener is looked up at each outcome: it may be set later */
  constructor(
    createSink: SinkFactory,
    owner: { readonly listener: OutcomeListener | undefined; readonly client: Client },
  ) {
    this.sink = createSink(
      (ticket, error, topic, partition, offset) => {
        const listener = owner.listener!;
        if (error === null) listener.onDelivered(this, ticket, topic, partition, offset);
        else listener.onFailed(this, ticket, error, topic, partition);
      },
      () => owner.client === this,
    );
  }

  /**
   * Hands a record to the client. When true, the caller adds it to the in-flight table.
   * False: not now, or an earlier record failed during the call and the client was replaced.
   * @param timestampMs the record's timestamp, where that isn't the time of sending
   */
  send(record: SinkRecord, timestampMs?: number): boolean {
    this.isSending = true;
    try {
      return this.sink.send(record, this.inFlight.nextTicket, timestampMs) && !this.isReplaced;
    } finally {
      this.isSending = false;
    }
  }

  /** Does it hold nothing but one event, so that a refusal can mean no other? */
  get holdsOne(): boolean {
    return this.inFlight.count === 1 && !this.isSending;
  }

  /** Is a single record in flight, one that is safe in the journal? */
  get isProbing(): boolean {
    return this.inFlight.count === 1 && this.inFlight.oldest() instanceof JournalRecord;
  }
}
