// Writing records: a synchronous call, and an outcome for each record.
import type { ClientLog } from "./client.ts";
import type { KafkaError } from "./errors.ts";
import type { ClientConfig, Delivery, ProducerRecord } from "./records.ts";
import type { ProducerStatistics } from "./statistics.ts";

export interface ProducerOptions {
  /** From `toClientConfig(settings, "producer")`. */
  config: ClientConfig;
  /** librdkafka's settings of one topic, where they differ from `config`: as `compression.type`. */
  topicConfig?(topic: string): Readonly<Record<string, string>> | undefined;
  /**
   * Called exactly once for each record that `produce` queued: `error` is null when it is stored as the configured acks
   * require. Runs on the event loop, many in a row; it must not throw.
   */
  onOutcome(error: KafkaError | null, delivery: Delivery, context: unknown): void;
  /** Errors that concern no single record, such as an unreachable broker or failed authentication. librdkafka retries after most of them. */
  onError?(error: KafkaError): void;
  onLog?(log: ClientLog): void;
  onStatistics?(statistics: ProducerStatistics): void;
}

export interface KafkaProducer {
  /**
   * Resolves once a broker has responded. After a failure it may be called again.
   * @throws KafkaError with the likeliest cause
   */
  connect(timeoutMs: number): Promise<void>;
  /**
   * Puts one record in the client's queue, synchronously. "full": it was not queued.
   * @throws KafkaError when this record can never be sent as it is, when the producer isn't connected
   * (`not_connected`), or when the producer must be replaced (`isFatal`)
   */
  produce(record: ProducerRecord): "queued" | "full";
  /** Records without an outcome yet, and the bytes of their keys, values and headers. */
  queued(): { messages: number; bytes: number };
  /** Sends lingering records and waits for outcomes. @returns true when no outcome is missing */
  flush(timeoutMs: number): Promise<boolean>;
  /**
   * Flushes and disconnects, in this time or a little more. Records without an outcome by then get `abandoned`: they may
   * have been written or not.
   */
  close(timeoutMs: number): Promise<{ undelivered: number }>;
  /** Whether a broker is up right now, by librdkafka's events, statistics and the outcomes that come in. */
  readonly connected: boolean;
  /** The last statistics; undefined before the first, or with statistics.interval.ms at 0. */
  statistics(): ProducerStatistics | undefined;
}
