// Settings of a group member: how it shares the work and how it reads.
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
    description: "Consumers of one group share the partitions.",
  }),
  KAFKA_GROUP_INSTANCE_ID: optionalText(
    "group.instance.id",
    "A fixed name for this member: a restart within session.timeout.ms then moves no partitions.",
  ),
  KAFKA_PARTITION_ASSIGNMENT_STRATEGY: choice(
    "partition.assignment.strategy",
    ["cooperative-sticky", "range", "roundrobin", "range,roundrobin"],
    "cooperative-sticky",
    "A rebalance stops only the partitions that move. Every member of a group must use the same.",
  ),
  KAFKA_SESSION_TIMEOUT_MS: integer(
    "session.timeout.ms",
    [1, HOUR_MS],
    45_000,
    "Without a heartbeat for this long a member counts as dead.",
  ),
  KAFKA_HEARTBEAT_INTERVAL_MS: integer(
    "heartbeat.interval.ms",
    [1, HOUR_MS],
    3_000,
    "A rebalance is noticed within this.",
  ),
  KAFKA_MAX_POLL_INTERVAL_MS: integer(
    "max.poll.interval.ms",
    [1, 86_400_000],
    300_000,
    "Longest time between two fetches; a member that is stuck for longer loses its partitions.",
  ),
  KAFKA_AUTO_OFFSET_RESET: choice(
    "auto.offset.reset",
    ["earliest", "latest"],
    "earliest",
    "Where a group begins that has no offset, or one that the log no longer has: at the start, so that nothing is missed.",
  ),
  KAFKA_ISOLATION_LEVEL: choice(
    "isolation.level",
    ["read_committed", "read_uncommitted"],
    "read_committed",
    "Records of aborted transactions are left out.",
  ),
  KAFKA_FETCH_MIN_BYTES: integer(
    "fetch.min.bytes",
    [0, INT_MAX],
    1,
    "The broker answers as soon as there is anything.",
  ),
  KAFKA_FETCH_WAIT_MAX_MS: integer(
    "fetch.wait.max.ms",
    [0, 300_000],
    500,
    "How long it may wait for fetch.min.bytes.",
  ),
  KAFKA_FETCH_QUEUE_BACKOFF_MS: integer(
    "fetch.queue.backoff.ms",
    [0, 300_000],
    20,
    "Pause once the local queue is full. librdkafka's 1 s lets a fast reader run dry.",
  ),
  KAFKA_QUEUED_MIN_MESSAGES: integer(
    "queued.min.messages",
    [1, 10_000_000],
    50_000,
    "Records fetched ahead for each partition.",
  ),
  KAFKA_QUEUED_MAX_MESSAGES_KBYTES: integer(
    "queued.max.messages.kbytes",
    [1, 2_097_151],
    32_768,
    "The same in KiB over all partitions: bounds the process's memory.",
  ),
  KAFKA_MAX_PARTITION_FETCH_BYTES: integer(
    "max.partition.fetch.bytes",
    [1, 1_000_000_000],
    1_048_576,
    "Bytes of one partition in one answer.",
  ),
} satisfies Record<string, TSchema>;
