// Names of topics and record headers that several programs share.

/** The dead-letter topic of a topic. */
export function deadLetterTopic(topic: string): string {
  return `${topic}.dead-letter`;
}

/** Headers of a dead letter: why it was dead-lettered, and its original position. Values are UTF-8 text. */
export const deadLetterHeaders = {
  /** The error message. */
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

/** Of Confluent's wire format: a zero byte, and the id of the value's schema in four. */
export const WIRE_PREFIX_BYTES = 5;

/** A record's value without the prefix of Confluent's wire format, if it has one. JSON text never begins with a zero byte. */
export function withoutWirePrefix(value: Buffer): Buffer {
  return value[0] === 0 && value.length > WIRE_PREFIX_BYTES ? value.subarray(WIRE_PREFIX_BYTES) : value;
}
