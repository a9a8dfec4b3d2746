// Topics that a service needs, created at its start where they are missing.
import { createAdmin, type NewTopic } from "./admin.ts";
import { type KafkaError, toKafkaError } from "./errors.ts";
import type { ClientConfig } from "./records.ts";

export interface EnsureTopicsOptions {
  /** Of any kind of client. */
  config: ClientConfig;
  topics: readonly NewTopic[];
  /** For connecting and for each request, ms. */
  timeoutMs: number;
}

/** What became of one topic: a principal without the right to create or describe it gets the error. */
export interface EnsuredTopic {
  topic: NewTopic;
  outcome: "created" | "exists" | KafkaError;
}

/**
 * One attempt with a connection of its own: creates each topic that is missing and waits until its partitions have leaders.
 * @throws KafkaError `broker_unavailable` or `timed_out` when no broker responds
 */
export async function ensureTopics({
  config,
  topics,
  timeoutMs,
}: EnsureTopicsOptions): Promise<EnsuredTopic[]> {
  const admin = await createAdmin({ config, timeoutMs });
  try {
    const ensured: EnsuredTopic[] = [];
    for (const topic of topics)
      ensured.push({ topic, outcome: await admin.ensureTopic(topic).catch(toKafkaError) });
    return ensured;
  } finally {
    await admin.close();
  }
}
