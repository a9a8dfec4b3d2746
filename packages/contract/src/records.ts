// Names inside Kafka that more than one program has to agree on.

/** The topic that takes what could not be handled: beside the topic it came from. */
export function deadLetterTopic(topic: string): string {
  return `${topic}.dead-letter`;
}

/** Headers of a dead letter: why it is there and where it was. Values are UTF-8 text. */
export const deadLetterHeaders = {
  /** What went wrong, in words. */
  cause: "dead-letter-cause",
  /** `not_an_event` or `handler_failed`. */
  reason: "dead-letter-reason",
  /** How many times a handler was called with it. */
  tries: "dead-letter-tries",
  topic: "dead-letter-original-topic",
  partition: "dead-letter-original-partition",
  offset: "dead-letter-original-offset",
  /** Unix ms of the original record. */
  timestamp: "dead-letter-original-timestamp",
} as const;
