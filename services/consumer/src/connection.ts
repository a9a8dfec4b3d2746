// Getting to Kafka, however long it is away: topics made where they are missing, then a consumer that is connected.
import {
  type ClientConfig,
  type ConsumerOptions,
  createAdmin,
  createConsumer,
  type KafkaConsumer,
  type NewTopic,
  toKafkaError,
} from "@ingest/kafka";
import type { Log } from "@ingest/service";
import { type BackoffSettings, backoffMs, waitMs } from "./retry/backoff.ts";

export interface ConnectionOptions {
  consumer: ConsumerOptions;
  admin: ClientConfig;
  /** Made when missing, before the group is joined. */
  topics: readonly NewTopic[];
  log: Log;
}

const ATTEMPT_TIMEOUT_MS = 10_000;
const BACKOFF: BackoffSettings = { firstMs: 250, maxMs: 5_000 };

/** Tries until it is connected or the signal is aborted (then undefined). */
export async function connectUntilDone(
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<KafkaConsumer | undefined> {
  const { log } = options;
  for (let failures = 1; !signal.aborted; failures++) {
    try {
      await ensureTopics(options);
      const consumer = createConsumer(options.consumer);
      await consumer.connect(ATTEMPT_TIMEOUT_MS);
      if (!signal.aborted) return consumer;
      await consumer.close(ATTEMPT_TIMEOUT_MS);
    } catch (thrown) {
      const error = toKafkaError(thrown);
      const pauseMs = backoffMs(failures, BACKOFF);
      log.warn(
        { code: error.code, error: error.message, retry_in_ms: Math.round(pauseMs) },
        "Kafka can't be reached",
      );
      await waitMs(pauseMs, signal);
    }
  }
  return undefined;
}

async function ensureTopics({ admin: config, topics, log }: ConnectionOptions): Promise<void> {
  const admin = await createAdmin({ config, timeoutMs: ATTEMPT_TIMEOUT_MS });
  try {
    for (const topic of topics) {
      try {
        const outcome = await admin.ensureTopic(topic);
        if (outcome === "created")
          log.info({ topic: topic.topic, partitions: topic.partitions }, "topic created");
      } catch (thrown) {
        // It may be there and only the right to look or to make it missing: reading will tell.
        const { code, message } = toKafkaError(thrown);
        log.warn({ topic: topic.topic, code, error: message }, "topic could not be made sure of");
      }
    }
  } finally {
    await admin.close();
  }
}
