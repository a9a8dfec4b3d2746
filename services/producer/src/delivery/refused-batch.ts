// Which of the records that Kafka refused together are at fault, as far as the outcomes show it.

import type { KafkaError } from "@ingest/kafka";

/** A record that the broker refused for what is in its batch. */
export interface RefusedRecord {
  ticket: number;
  error: KafkaError;
  topic: string;
  partition: number;
}

export interface Verdict {
  /** Refused for what is in them. */
  guilty: RefusedRecord[];
  /** Refused too, but librdkafka doesn't tell of each why: each has to be sent alone. */
  suspects: RefusedRecord[];
  /** Nothing is known of some of them: any may be at fault, or their number. */
  hasUnexplained: boolean;
}

/**
 * Brokers refuse batches. Since Kafka 2.4 they name the records at fault, and librdkafka reports the others of that batch as
 * `batch_refused`; when several are named, it reports one code for all, whatever their own is. A client that was refused
 * a batch sends nothing more: so there is at most one refused batch for each partition.
 * @param isComplete whether every record that was in flight has its outcome
 */
export function judge(refused: readonly RefusedRecord[], isComplete: boolean): Verdict {
  const verdict: Verdict = { guilty: [], suspects: [], hasUnexplained: false };
  const batches = Map.groupBy(refused, ({ topic, partition }) => `${topic} ${partition}`);
  for (const batch of batches.values()) {
    const blamed = batch.filter(({ error }) => error.code !== "batch_refused");
    const isNamed = blamed.length < batch.length;
    if (blamed.length === 1 && (isNamed || isComplete)) verdict.guilty.push(blamed[0]!);
    else if (isNamed) verdict.suspects.push(...blamed);
    else verdict.hasUnexplained = true;
  }
  return verdict;
}

/** Is it about what a record or its batch contains, so that other records may be taken? */
export function concernsRecord({ fault, code }: KafkaError): boolean {
  return fault === "record" || fault === "batch" || code === "invalid_timestamp";
}
