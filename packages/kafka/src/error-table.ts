// librdkafka's error codes → what this project's code decides by. The one place that knows the numbers.

export interface ErrorKind {
  /** librdkafka's codes: negative ones are the client's own, positive ones a broker's answer. */
  rdkafkaCodes: readonly number[];
  /**
   * Whether the same call, unchanged, may succeed once something outside it has changed: a broker is back, the
   * queue has drained, a topic is made, a right is granted. False is a fault of the record or the call itself.
   */
  canRetry: boolean;
  /** Whether the client that reported it is of no more use: only a new one gets any further. */
  isFatal?: boolean;
  meaning: string;
}

/** Each code: where it comes from and what it means. Numbers: librdkafka 2.15 `rdkafka.h`. */
export const kafkaErrors = {
  queue_full: {
    rdkafkaCodes: [-184],
    canRetry: true,
    meaning: "The client's queue is full; nothing was taken.",
  },
  timed_out: {
    rdkafkaCodes: [-192, -185, -166, 7],
    canRetry: true,
    meaning: "No answer in time. Of a delivery: it may have been written all the same.",
  },
  broker_unavailable: {
    rdkafkaCodes: [
      -195, -193, -187, -180, -146, -137, 5, 6, 8, 9, 13, 14, 15, 16, 41, 72, 74, 75, 77, 78, 129,
    ],
    canRetry: true,
    meaning: "No connection to a broker, or to the one that leads the partition or group.",
  },
  not_enough_replicas: {
    rdkafkaCodes: [-183, 19, 20],
    canRetry: true,
    meaning: "Fewer in-sync replicas than min.insync.replicas asks for.",
  },
  broker_storage: {
    rdkafkaCodes: [56, 57],
    canRetry: true,
    meaning: "A disk of the broker's failed or is full.",
  },
  throttled: { rdkafkaCodes: [89], canRetry: true, meaning: "Over a quota of the cluster." },
  unknown_topic: {
    rdkafkaCodes: [-188, 3, 100],
    canRetry: true,
    meaning: "The topic doesn't exist, or this client may not know that it does.",
  },
  unknown_partition: {
    rdkafkaCodes: [-190],
    canRetry: true,
    meaning: "The topic has no such partition.",
  },
  topic_exists: { rdkafkaCodes: [36], canRetry: false, meaning: "A topic of this name is there already." },
  message_too_large: {
    rdkafkaCodes: [4, 10, 18],
    canRetry: false,
    meaning: "Larger than message.max.bytes of the client, the topic or the broker.",
  },
  invalid_record: {
    rdkafkaCodes: [-199, -138, 2, 32, 43, 76, 87],
    canRetry: false,
    meaning: "The broker refuses this record as it is.",
  },
  invalid_topic: { rdkafkaCodes: [17], canRetry: false, meaning: "Not a name that a topic can have." },
  authentication: {
    rdkafkaCodes: [-169, 33, 34, 58],
    canRetry: true,
    meaning: "The broker refuses the user, the password or the mechanism.",
  },
  tls: {
    rdkafkaCodes: [-181],
    canRetry: true,
    meaning: "The TLS handshake failed: certificate, name or protocol.",
  },
  authorization: {
    rdkafkaCodes: [29, 30, 31, 53, 65],
    canRetry: true,
    meaning: "The cluster's access rules don't allow this user that.",
  },
  fenced: {
    rdkafkaCodes: [-144, 47, 52, 82, 90],
    canRetry: false,
    isFatal: true,
    meaning: "A newer client of the same identity took over.",
  },
  fatal: {
    rdkafkaCodes: [-150],
    canRetry: true,
    isFatal: true,
    meaning: "The client can't keep its promise of order without duplicates any more; a new one is needed.",
  },
  sequence: {
    rdkafkaCodes: [-148, 45, 46, 59],
    canRetry: true,
    isFatal: true,
    meaning: "The broker lost track of this producer's sequence numbers.",
  },
  rebalance: {
    rdkafkaCodes: [-142, 22, 25, 27, 79, 110, 113],
    canRetry: true,
    meaning: "The group is sharing out its partitions anew, or this member isn't in it any more.",
  },
  poll_interval_exceeded: {
    rdkafkaCodes: [-147],
    canRetry: true,
    meaning:
      "Nothing was fetched for longer than max.poll.interval.ms; the group goes on without this member.",
  },
  group: {
    rdkafkaCodes: [-179, 23, 24, 26, 68, 69, 81, 86, 111, 112],
    canRetry: false,
    meaning: "The group can't be used so: its id, protocol, time-outs or members.",
  },
  offset_out_of_range: {
    rdkafkaCodes: [-140, -139, 1],
    canRetry: false,
    meaning: "The offset isn't in the partition (any more).",
  },
  no_offset: { rdkafkaCodes: [-168], canRetry: false, meaning: "No offset is stored." },
  partition_end: { rdkafkaCodes: [-191], canRetry: false, meaning: "The partition's end. Not a fault." },
  purged: {
    rdkafkaCodes: [-152, -151],
    canRetry: true,
    meaning: "Thrown out of the client's queue before an outcome was known.",
  },
  abandoned: {
    rdkafkaCodes: [-197],
    canRetry: true,
    meaning: "The client was closed before an outcome was known; the record may have been written.",
  },
  unconfirmed: {
    rdkafkaCodes: [-149],
    canRetry: true,
    meaning:
      "The client takes the record for written though no broker confirmed it; it may have been or not.",
  },
  not_connected: {
    rdkafkaCodes: [-172],
    canRetry: true,
    meaning: "The client isn't connected (yet, or any more), or isn't in a state for this.",
  },
  unsupported: {
    rdkafkaCodes: [-198, -171, -170, -165, 35, 42],
    canRetry: false,
    meaning: "This build of the client, or the broker, can't do that.",
  },
  invalid_config: {
    rdkafkaCodes: [-186, -173, -145, 21, 37, 38, 39, 40],
    canRetry: false,
    meaning: "A setting or an argument is wrong.",
  },
  policy: { rdkafkaCodes: [44, 61, 73], canRetry: false, meaning: "The cluster's policy forbids it." },
  unknown: {
    rdkafkaCodes: [-196, -1],
    canRetry: true,
    meaning: "Not in this table; the message and the number say more.",
  },
} as const satisfies Record<string, ErrorKind>;
