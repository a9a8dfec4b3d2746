// Writing records: a synchronous call, and an outcome for each record.
import type { ClientLog } from "./client.ts";
import type { KafkaError } from "./errors.ts";
import type { ClientConfig, Delivery, ProducerRecord } from "./records.ts";
import type { ProducerStatistics } from "./statistics.ts";

export interface ProducerOptions {
  /** From `toClientConfig(settings, "producer")`. */
  config: ClientConfig;
  /** Where most records go. Those of one turn of the event loop are handed over together; others go one by one. */
  topic?: string;
  /**
   * Called exactly once for each record that `produce` took: `error` is null when it is stored as the configuration's
   * acks ask for. Runs on the event loop, many in a row; it must not throw.
   */
  onOutcome(error: KafkaError | null, delivery: Delivery, context: unknown): void;
  /** Trouble that is no single record's: brokers away, a refused login. Most of it mends by itself. */
  onError?(error: KafkaError): void;
  onLog?(log: ClientLog): void;
  onStatistics?(statistics: ProducerStatistics): void;
}

export interface KafkaProducer {
  /**
   * Resolves once a broker has answered. After a failure it may be called again.
   * @throws KafkaError with the most telling reason
   */
  connect(timeoutMs: number): Promise<void>;
  /**
   * Puts one record in the client's queue, synchronously. "full": nothing was taken.
   * @throws KafkaError when this record can never be sent as it is, when the producer isn't connected
   * (`not_connected`), or when only a new producer gets any further (`isFatal`)
   */
  produce(record: ProducerRecord): "queued" | "full";
  /** Records taken and without an outcome, and the bytes of their keys and values. */
  queued(): { messages: number; bytes: number };
  /** Sends what waits for company, and waits. @returns true when every outcome is in */
  flush(timeoutMs: number): Promise<boolean>;
  /**
   * Flushes and lets go of the client, in this time or a little more. Records that have no outcome by then get
   * `abandoned`: they may have been written or not.
   */
  close(timeoutMs: number): Promise<{ undelivered: number }>;
  /** Whether a broker is up right now, by librdkafka's events, statistics and the outcomes that come in. */
  readonly connected: boolean;
  /** The last statistics; undefined before the first, or with statistics.interval.ms at 0. */
  statistics(): ProducerStatistics | undefined;
}
