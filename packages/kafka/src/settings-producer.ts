// Settings of the producer: how records are batched, sent and timed out.
import { type TSchema, Type } from "@sinclair/typebox";
import { clientSettings } from "./settings-client.ts";
import { choice, flag, INT_MAX, integer } from "./settings-rows.ts";

/** librdkafka's own bounds are set a quarter wider (confluent-producer.ts) and end at INT_MAX. */
const MAX_QUEUE = 1_000_000_000;

/** Every client's rows and the producer's own. */
export const producerSettings = {
  ...clientSettings,
  KAFKA_LINGER_MS: integer(
    "linger.ms",
    [0, 900_000],
    5,
    "How long a record waits for more records to fill its batch. 5 ms fills batches at a few thousand records per second.",
  ),
  KAFKA_BATCH_SIZE: integer(
    "batch.size",
    [1, INT_MAX],
    1_048_576,
    "Largest batch of a partition, in bytes. Large batches compress better and cost the broker less.",
  ),
  KAFKA_BATCH_NUM_MESSAGES: integer(
    "batch.num.messages",
    [1, 1_000_000],
    10_000,
    "Most records in a batch; small events reach this limit before batch.size.",
  ),
  KAFKA_MESSAGE_MAX_BYTES: integer(
    "message.max.bytes",
    [1_000, 1_000_000_000],
    1_000_000,
    "Largest record and request, uncompressed. Stays below the broker's limit (1,048,588 bytes), which includes framing.",
  ),
  KAFKA_QUEUE_BUFFERING_MAX_MESSAGES: integer(
    "queue.buffering.max.messages",
    [1, MAX_QUEUE],
    100_000,
    "Most records queued or in flight. Beyond it events go to the journal or, without one, are rejected with 503. The default is about a second of one core's work.",
  ),
  KAFKA_QUEUE_BUFFERING_MAX_KBYTES: integer(
    "queue.buffering.max.kbytes",
    [1, MAX_QUEUE],
    32_768,
    "Most KiB queued or in flight. A full queue of large events takes the producer's memory to 420 to 520 MiB.",
  ),
  KAFKA_COMPRESSION_TYPE: choice(
    "compression.type",
    ["none", "gzip", "snappy", "lz4", "zstd"],
    "lz4",
    "lz4 costs the least CPU for JSON; zstd compresses better and costs more.",
  ),
  KAFKA_ACKS: Type.Union([Type.Literal("all"), Type.Literal(-1), Type.Literal(0), Type.Literal(1)], {
    librdkafka: "acks",
    default: "all",
    description:
      "all: a record counts as delivered once every in-sync replica has it. Anything less can lose records.",
  }),
  KAFKA_ENABLE_IDEMPOTENCE: flag(
    "enable.idempotence",
    true,
    "Retries neither duplicate nor reorder records within a partition. Its cost is not measurable.",
  ),
  KAFKA_MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION: integer(
    "max.in.flight.requests.per.connection",
    [1, 1_000_000],
    1,
    "Most unanswered requests per connection; a broker processes one at a time anyway. With more than 1, a record can overtake one that a new leader rejected.",
  ),
  KAFKA_MESSAGE_TIMEOUT_MS: integer(
    "message.timeout.ms",
    [1, INT_MAX],
    30_000,
    "Time limit for a delivery, retries included. Long enough for a broker restart or a leader election.",
  ),
  KAFKA_REQUEST_TIMEOUT_MS: integer(
    "request.timeout.ms",
    [1, 900_000],
    9_000,
    "How long the broker waits for its replicas. Keep it below socket.timeout.ms, so that the broker responds before the connection is closed.",
  ),
  KAFKA_RETRY_BACKOFF_MS: integer(
    "retry.backoff.ms",
    [1, 300_000],
    100,
    "First pause before a request is retried; doubles with each failure.",
  ),
  KAFKA_RETRY_BACKOFF_MAX_MS: integer(
    "retry.backoff.max.ms",
    [1, 300_000],
    1_000,
    "Longest pause before a request is retried.",
  ),
  KAFKA_PARTITIONER: choice(
    "partitioner",
    ["consistent", "consistent_random", "murmur2", "murmur2_random", "fnv1a", "fnv1a_random"],
    "murmur2_random",
    "The Java clients' default, so that a key maps to the same partition whichever client writes it; records without a key are spread. librdkafka's random is left out, because it would lose the order within a key.",
  ),
} satisfies Record<string, TSchema>;
