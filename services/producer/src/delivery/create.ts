// Wires delivery: the Kafka client, the journal's folder, settings.

import { join } from "node:path";
import type { ClientConfig, ProducerStatistics } from "@ingest/kafka";
import type { Log } from "@ingest/service";
import { JournalledDelivery } from "./delivery.ts";
import { workerFolder } from "./journal/folder.ts";
import { Journal } from "./journal/journal.ts";
import { KafkaSink } from "./kafka-sink.ts";
import { RejectedEvents } from "./rejected-events.ts";
import type { DeliverySettings } from "./settings.ts";
import { TopicLimitsCheck } from "./topic-limits.ts";
import type { Delivery } from "./types.ts";

export interface CreateDeliveryOptions {
  settings: DeliverySettings & { KAFKA_TOPIC: string };
  /** From `toClientConfig(settings, "producer")`. */
  config: ClientConfig;
  log: Log;
  /** The index of this worker, from 0 (default 0), and the number of workers (default 1). */
  worker?: number;
  workers?: number;
  /** librdkafka's settings for a topic, where they differ from `config`. */
  topicConfig?: ((topic: string) => Record<string, string> | undefined) | undefined;
  /** Called with the statistics of the Kafka client at each KAFKA_STATISTICS_INTERVAL_MS. */
  onStatistics?: (statistics: ProducerStatistics) => void;
}

/** Delivery to Kafka. Creates the client, which validates its configuration; opens the journal at `start`. */
export function createDelivery(options: CreateDeliveryOptions): Delivery {
  const { settings, config, log, worker = 0, workers = 1, onStatistics } = options;
  const topic = settings.KAFKA_TOPIC;
  const limitsCheck = new TopicLimitsCheck();
  const maxBatchBytes = () => limitsCheck.maxBatchBytes;
  const { topicConfig } = options;
  const sinkOptions = { config, topic, log, maxBatchBytes, ...(topicConfig && { topicConfig }) };
  const folder = workerFolder(settings.JOURNAL_DIR, worker);
  const journal = {
    openJournal: () =>
      Journal.open({
        directory: settings.JOURNAL_DIR,
        worker,
        workers,
        topic,
        maxBytes: settings.JOURNAL_MAX_BYTES,
        maxAgeMs: settings.JOURNAL_MAX_AGE_MS,
        segmentBytes: settings.JOURNAL_SEGMENT_BYTES,
        fsyncIntervalMs: settings.JOURNAL_FSYNC_INTERVAL_MS,
        log,
      }),
    rejected: new RejectedEvents({
      path: join(folder, "rejected.ndjson"),
      topic,
      maxBytes: settings.JOURNAL_MAX_BYTES,
      log,
    }),
  };
  return new JournalledDelivery({
    limitsCheck,
    createSink: (onOutcome, isInUse) =>
      new KafkaSink(
        { ...sinkOptions, onStatistics: (latest) => isInUse() && onStatistics?.(latest) },
        onOutcome,
      ),
    ...(settings.JOURNAL_ENABLED ? journal : {}),
    stallMs: settings.DELIVERY_STALL_MS,
    durableDeadlineMs: settings.STORED_DEADLINE_MS,
    log,
  });
}
