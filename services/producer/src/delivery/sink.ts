// What delivery needs of a client: mechanism only, so that delivery can be tested without Kafka.

import type { KafkaError } from "@ingest/kafka";

/** A record as the client takes it. */
export interface Sendable {
  readonly key: string | null;
  /** Text is written as UTF-8. */
  readonly value: string | Buffer;
  /** Where it goes when that isn't the topic in use now: it was written down under another setting. */
  readonly topic?: string;
  /** Unix ms of receipt; the time of sending when absent. */
  readonly timestampMs?: number;
}

export interface Sink {
  /**
   * Puts a record in the client's queue. False: not now (the queue is full, or there is no connection yet).
   * @param ticket comes back with the outcome
   * @throws KafkaError when this record can never be sent as it is
   */
  send(record: Sendable, ticket: number): boolean;
  /** True when every outcome is in. */
  flush(timeoutMs: number): Promise<boolean>;
  /** Lets go of the client. What is without outcome by then may have been written or not. */
  close(timeoutMs: number): Promise<void>;
  /** A broker is up right now. */
  readonly connected: boolean;
}

/** Called once for each record that `send` took; `error` is null when Kafka has it. */
export type OutcomeHandler = (
  ticket: number,
  error: KafkaError | null,
  topic: string,
  partition: number,
  offset: number,
) => void;

/** Makes a client that connects by itself and keeps trying until it is closed. */
export type SinkFactory = (onOutcome: OutcomeHandler) => Sink;
