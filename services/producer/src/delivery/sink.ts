// The Kafka client as delivery sees it: mechanism only, so that delivery can be tested without Kafka.

import type { KafkaError, NewHeaders } from "@ingest/kafka";

/** A record to be produced. */
export interface SinkRecord {
  readonly key: string | null;
  /** Text is written as UTF-8. */
  readonly value: string | Buffer;
  /** Absent: the configured topic. */
  readonly topic?: string | undefined;
  readonly headers?: NewHeaders | undefined;
}

export interface Sink {
  /**
   * Puts a record into the client's queue. False: not now (the queue is full, or there is no connection yet).
   * @param ticket passed to the outcome handler
   * @param timestampMs the record's timestamp, Unix ms; absent: the time of sending
   * @throws KafkaError when this record can never be sent as it is
   */
  send(record: SinkRecord, ticket: number, timestampMs?: number): boolean;
  /** True when no outcome is pending any more. */
  flush(timeoutMs: number): Promise<boolean>;
  /** Closes the client. Records whose outcome is pending by then may have been written or not. */
  close(timeoutMs: number): Promise<void>;
  /** A broker is connected right now. */
  readonly connected: boolean;
}

/** Called once for each record that `send` took; `error` is null when Kafka confirmed the record. */
export type OutcomeHandler = (
  ticket: number,
  error: KafkaError | null,
  topic: string,
  partition: number,
  offset: number,
) => void;

/**
 * Creates a client that connects in the background and keeps trying until it is closed.
 * @param isInUse whether it is the client that events are sent with now, rather than a spare or a former one
 */
export type SinkFactory = (onOutcome: OutcomeHandler, isInUse: () => boolean) => Sink;
