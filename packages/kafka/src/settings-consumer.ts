// Settings of a group member: group membership and fetching.
import { type TSchema, Type } from "@sinclair/typebox";
import { clientSettings } from "./settings-client.ts";
import { choice, HOUR_MS, INT_MAX, integer, optionalText } from "./settings-rows.ts";

/** Every client's rows and the consumer's own. */
export const consumerSettings = {
  ...clientSettings,
  KAFKA_GROUP_ID: Type.String({
    librdkafka: "group.id",
    default: "event-consumers",
    minLength: 1,
    description: "Consumer group; its members share the partitions.",
  }),
  KAFKA_GROUP_INSTANCE_ID: optionalText(
    "group.instance.id",
    "Static membership: a member that restarts within session.timeout.ms keeps its partitions.",
  ),
  KAFKA_GROUP_PROTOCOL: choice(
    "group.protocol",
    ["classic", "consumer"],
    "classic",
    "consumer: the broker assigns the partitions (KIP-848; Kafka 4.0 and later). It also decides on session time-outs, heartbeats and the assignor, so KAFKA_SESSION_TIMEOUT_MS, KAFKA_HEARTBEAT_INTERVAL_MS and KAFKA_PARTITION_ASSIGNMENT_STRATEGY can't be set then.",
  ),
  KAFKA_PARTITION_ASSIGNMENT_STRATEGY: choice(
    "partition.assignment.strategy",
    ["cooperative-sticky", "range", "roundrobin", "range,roundrobin"],
    "cooperative-sticky",
    "cooperative-sticky: a rebalance interrupts only the partitions that move. All members of a group must use the same strategy.",
  ),
  KAFKA_SESSION_TIMEOUT_MS: integer(
    "session.timeout.ms",
    [1, HOUR_MS],
    45_000,
    "A member without a heartbeat for this long is removed from the group.",
  ),
  KAFKA_HEARTBEAT_INTERVAL_MS: integer(
    "heartbeat.interval.ms",
    [1, HOUR_MS],
    3_000,
    "How often heartbeats are sent; a member notices a rebalance by the next one.",
  ),
  KAFKA_MAX_POLL_INTERVAL_MS: integer(
    "max.poll.interval.ms",
    [1, 86_400_000],
    300_000,
    "Longest time between two polls; a member that is stuck for longer loses its partitions.",
  ),
  KAFKA_AUTO_OFFSET_RESET: choice(
    "auto.offset.reset",
    ["earliest", "latest"],
    "earliest",
    "Where to start without a committed offset, or with one that the log no longer contains. earliest misses nothing.",
  ),
  KAFKA_ISOLATION_LEVEL: choice(
    "isolation.level",
    ["read_committed", "read_uncommitted"],
    "read_committed",
    "read_committed skips records of aborted transactions.",
  ),
  KAFKA_FETCH_MIN_BYTES: integer(
    "fetch.min.bytes",
    [0, INT_MAX],
    1,
    "Fewest bytes that the broker waits for; at 1 it responds as soon as there is a record.",
  ),
  KAFKA_FETCH_WAIT_MAX_MS: integer(
    "fetch.wait.max.ms",
    [0, 300_000],
    500,
    "How long the broker may wait for fetch.min.bytes.",
  ),
  KAFKA_FETCH_QUEUE_BACKOFF_MS: integer(
    "fetch.queue.backoff.ms",
    [0, 300_000],
    20,
    "Pause before the next fetch while the local queue is full. librdkafka's default of 1 s would leave a fast consumer idle.",
  ),
  KAFKA_QUEUED_MIN_MESSAGES: integer(
    "queued.min.messages",
    [1, 10_000_000],
    50_000,
    "Records to prefetch per partition.",
  ),
  KAFKA_QUEUED_MAX_MESSAGES_KBYTES: integer(
    "queued.max.messages.kbytes",
    [1, 2_097_151],
    32_768,
    "Most KiB to prefetch over all partitions: bounds the process's memory.",
  ),
  KAFKA_MAX_PARTITION_FETCH_BYTES: integer(
    "max.partition.fetch.bytes",
    [1, 1_000_000_000],
    1_048_576,
    "Most bytes per partition in a fetch response.",
  ),
} satisfies Record<string, TSchema>;
