// librdkafka's error codes → this project's codes.

export interface ErrorKind {
  /** librdkafka's codes: negative ones are the client's own, positive ones a broker's response. */
  rdkafkaCodes: readonly number[];
  /**
   * Whether the same call, unchanged, may succeed once something outside it has changed: a broker is back, the
   * queue has drained, a topic was created, a right was granted. False: the record or the call itself is at fault.
   */
  canRetry: boolean;
  /** Whether the client that reported it is unusable from now on and must be replaced. */
  isFatal?: boolean;
  /** What a refused delivery blames; see `DeliveryFault`. */
  fault: DeliveryFault;
  meaning: string;
}

/**
 * What has to change before a record that was refused can be stored.
 * - `record`: the record itself; sent again, it is refused again.
 * - `batch`: another record of its batch, or the batch as a whole: alone it may be stored.
 * - `setting`: a setting or a right of the topic, the cluster or the client, or a clock: an operator has to act.
 * - `time`: nothing; a broker comes back, a leader is elected, a new client takes over.
 */
export type DeliveryFault = "record" | "batch" | "setting" | "time";

/** Each code: where it comes from and what it means. Numbers: librdkafka 2.15 `rdkafka.h`. */
export const kafkaErrors = {
  queue_full: {
    rdkafkaCodes: [-184],
    canRetry: true,
    fault: "time",
    meaning: "The client's queue is full; the record was not queued.",
  },
  timed_out: {
    rdkafkaCodes: [-192, -185, -166, 7],
    canRetry: true,
    fault: "time",
    meaning: "No response in time. A record whose delivery timed out may have been written.",
  },
  broker_unavailable: {
    rdkafkaCodes: [
      -195, -193, -187, -180, -146, -137, 5, 6, 8, 9, 13, 14, 15, 16, 41, 72, 74, 75, 77, 78, 129,
    ],
    canRetry: true,
    fault: "time",
    meaning: "No connection to a broker, or to the one that leads the partition or group.",
  },
  not_enough_replicas: {
    rdkafkaCodes: [-183, 19, 20],
    canRetry: true,
    fault: "time",
    meaning: "Fewer in-sync replicas than min.insync.replicas requires.",
  },
  broker_storage: {
    rdkafkaCodes: [56, 57],
    canRetry: true,
    fault: "time",
    meaning: "One of the broker's disks failed or is full.",
  },
  throttled: {
    rdkafkaCodes: [89],
    canRetry: true,
    fault: "time",
    meaning: "A quota of the cluster is exceeded.",
  },
  unknown_topic: {
    rdkafkaCodes: [-188, 3, 100],
    canRetry: true,
    fault: "setting",
    meaning: "The topic doesn't exist, or this client may not describe it.",
  },
  unknown_partition: {
    rdkafkaCodes: [-190],
    canRetry: true,
    fault: "time",
    meaning: "The topic has no such partition.",
  },
  topic_exists: {
    rdkafkaCodes: [36],
    canRetry: false,
    fault: "setting",
    meaning: "A topic with this name already exists.",
  },
  message_too_large: {
    rdkafkaCodes: [10, 18],
    canRetry: false,
    fault: "record",
    meaning:
      "Larger than message.max.bytes of the client or the broker, or than max.message.bytes of the topic.",
  },
  invalid_record: {
    rdkafkaCodes: [87],
    canRetry: false,
    fault: "record",
    meaning:
      "The broker rejects this record: it breaks a rule of the topic. A compacted topic, for example, takes no record without a key.",
  },
  batch_refused: {
    rdkafkaCodes: [-138],
    canRetry: true,
    fault: "batch",
    meaning: "Another record of its batch was rejected; this one was not stored either.",
  },
  invalid_timestamp: {
    rdkafkaCodes: [32],
    canRetry: true,
    fault: "setting",
    meaning:
      "The record's timestamp is outside what the topic allows (message.timestamp.before.max.ms, message.timestamp.after.max.ms): a clock is wrong, or the limit is shorter than an outage.",
  },
  corrupt_record: {
    rdkafkaCodes: [-199, 2, 4],
    canRetry: true,
    fault: "time",
    meaning: "The bytes were damaged on the way.",
  },
  record_format: {
    rdkafkaCodes: [43, 76],
    canRetry: true,
    fault: "setting",
    meaning: "The topic's message format or the broker doesn't support the client's format or compression.",
  },
  invalid_topic: {
    rdkafkaCodes: [17],
    canRetry: false,
    fault: "setting",
    meaning: "The topic's name is invalid.",
  },
  authentication: {
    rdkafkaCodes: [-169, 33, 34, 58, 61, 62, 63, 64, 66],
    canRetry: true,
    fault: "setting",
    meaning: "The broker rejects the user, the password, the delegation token or the mechanism.",
  },
  tls: {
    rdkafkaCodes: [-181],
    canRetry: true,
    fault: "setting",
    meaning: "The TLS handshake failed: certificate, name or protocol.",
  },
  authorization: {
    rdkafkaCodes: [29, 30, 31, 53, 65],
    canRetry: true,
    fault: "setting",
    meaning: "The cluster's ACLs don't allow this user to do that.",
  },
  fenced: {
    rdkafkaCodes: [-144, 47, 52, 82, 90],
    canRetry: false,
    fault: "time",
    isFatal: true,
    meaning: "A newer client of the same identity took over.",
  },
  fatal: {
    rdkafkaCodes: [-150],
    canRetry: true,
    fault: "time",
    isFatal: true,
    meaning: "The client can no longer guarantee order without duplicates; create a new one.",
  },
  sequence: {
    rdkafkaCodes: [-148, 45, 46, 59],
    canRetry: true,
    fault: "time",
    isFatal: true,
    meaning: "The broker lost track of this producer's sequence numbers.",
  },
  rebalance: {
    rdkafkaCodes: [-142, 22, 25, 27, 79, 110, 113],
    canRetry: true,
    fault: "time",
    meaning: "The group is rebalancing, or this member has left it.",
  },
  poll_interval_exceeded: {
    rdkafkaCodes: [-147],
    canRetry: true,
    fault: "time",
    meaning: "No poll for longer than max.poll.interval.ms; the member was removed from its group.",
  },
  group: {
    rdkafkaCodes: [-179, 23, 24, 26, 68, 69, 81, 86, 111, 112],
    canRetry: false,
    fault: "setting",
    meaning: "The group's id, protocol, time-outs or members don't allow this.",
  },
  offset_out_of_range: {
    rdkafkaCodes: [-140, -139, 1],
    canRetry: false,
    fault: "setting",
    meaning: "The partition's log doesn't contain this offset, or no longer.",
  },
  no_offset: { rdkafkaCodes: [-168], canRetry: false, fault: "setting", meaning: "No offset is committed." },
  partition_end: {
    rdkafkaCodes: [-191],
    canRetry: false,
    fault: "time",
    meaning: "The end of the partition; not a failure.",
  },
  purged: {
    rdkafkaCodes: [-152, -151],
    canRetry: true,
    fault: "time",
    meaning: "Purged from the client's queue before its outcome was known.",
  },
  abandoned: {
    rdkafkaCodes: [-197],
    canRetry: true,
    fault: "time",
    meaning: "The client was closed before an outcome was known; the record may have been written.",
  },
  unconfirmed: {
    rdkafkaCodes: [-149],
    canRetry: true,
    fault: "time",
    meaning: "The client assumes that the record was written, but no broker confirmed it.",
  },
  not_connected: {
    rdkafkaCodes: [-172],
    canRetry: true,
    fault: "time",
    meaning: "The client isn't connected, or its state doesn't allow this call.",
  },
  unsupported: {
    rdkafkaCodes: [-198, -171, -170, -165, 35, 42],
    canRetry: false,
    fault: "setting",
    meaning: "This build of the client, or the broker, can't do that.",
  },
  invalid_config: {
    rdkafkaCodes: [-186, -173, -145, 21, 37, 38, 39, 40, 73],
    canRetry: false,
    fault: "setting",
    meaning: "A setting or an argument is wrong.",
  },
  policy: {
    rdkafkaCodes: [44],
    canRetry: false,
    fault: "record",
    meaning: "The cluster's policy forbids it.",
  },
  unknown: {
    rdkafkaCodes: [-196, -1],
    canRetry: true,
    fault: "time",
    meaning: "Not in this table; see the message and librdkafka's code.",
  },
} as const satisfies Record<string, ErrorKind>;
