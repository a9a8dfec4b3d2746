// Settings of the producer: how records are collected, sent and given up.
import { type TSchema, Type } from "@sinclair/typebox";
import { clientSettings } from "./settings-client.ts";
import { choice, flag, INT_MAX, integer } from "./settings-rows.ts";

/** The client's own bounds are set a quarter wider (confluent-producer.ts), and end at INT_MAX. */
const MAX_QUEUE = 1_000_000_000;

/** Every client's rows and the producer's own. */
export const producerSettings = {
  ...clientSettings,
  KAFKA_LINGER_MS: integer(
    "linger.ms",
    [0, 900_000],
    5,
    "How long a record waits for company. 5 ms fills batches at a few thousand records a second.",
  ),
  KAFKA_BATCH_SIZE: integer(
    "batch.size",
    [1, INT_MAX],
    1_048_576,
    "Bytes of a batch, for one partition. Large batches compress better and cost the broker less.",
  ),
  KAFKA_BATCH_NUM_MESSAGES: integer(
    "batch.num.messages",
    [1, 1_000_000],
    10_000,
    "Records of a batch; with small events this bounds it before batch.size does.",
  ),
  KAFKA_MESSAGE_MAX_BYTES: integer(
    "message.max.bytes",
    [1_000, 1_000_000_000],
    1_000_000,
    "Largest record and request, uncompressed. Below the broker's own limit (1,048,588), framing included.",
  ),
  KAFKA_QUEUE_BUFFERING_MAX_MESSAGES: integer(
    "queue.buffering.max.messages",
    [1, MAX_QUEUE],
    100_000,
    "Records waiting or in flight; beyond it events go to the journal, or without one get 503. About a second of one core's work.",
  ),
  KAFKA_QUEUE_BUFFERING_MAX_KBYTES: integer(
    "queue.buffering.max.kbytes",
    [1, MAX_QUEUE],
    32_768,
    "The same in KiB. A full queue of large events costs the producer about eight times this in memory: 380 MiB in all.",
  ),
  KAFKA_COMPRESSION_TYPE: choice(
    "compression.type",
    ["none", "gzip", "snappy", "lz4", "zstd"],
    "lz4",
    "lz4 costs least CPU for JSON; zstd is smaller and dearer.",
  ),
  KAFKA_ACKS: Type.Union([Type.Literal("all"), Type.Literal(-1), Type.Literal(0), Type.Literal(1)], {
    librdkafka: "acks",
    default: "all",
    description: "all: every in-sync replica has it before it counts as delivered. Fewer loses records.",
  }),
  KAFKA_ENABLE_IDEMPOTENCE: flag(
    "enable.idempotence",
    true,
    "Retries neither double nor reorder records within a partition; the cost can't be measured.",
  ),
  KAFKA_MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION: integer(
    "max.in.flight.requests.per.connection",
    [1, 1_000_000],
    1,
    "Requests a broker may have unanswered; it works on one at a time anyway. With more, a record behind one that a new leader refused may be stored before it.",
  ),
  KAFKA_MESSAGE_TIMEOUT_MS: integer(
    "message.timeout.ms",
    [1, INT_MAX],
    30_000,
    "From the call to the last retry. Outlasts a broker's restart or a leader's election; then it has failed.",
  ),
  KAFKA_REQUEST_TIMEOUT_MS: integer(
    "request.timeout.ms",
    [1, 900_000],
    9_000,
    "How long the broker waits for its replicas; answers before socket.timeout.ms cuts the connection.",
  ),
  KAFKA_RETRY_BACKOFF_MS: integer(
    "retry.backoff.ms",
    [1, 300_000],
    100,
    "First pause before a request is sent again; doubled each time.",
  ),
  KAFKA_RETRY_BACKOFF_MAX_MS: integer("retry.backoff.max.ms", [1, 300_000], 1_000, "Longest such pause."),
  KAFKA_PARTITIONER: choice(
    "partitioner",
    ["consistent", "consistent_random", "murmur2", "murmur2_random", "fnv1a", "fnv1a_random"],
    "murmur2_random",
    "The Java clients' choice, so a key lands in the same partition whoever writes it; no key: spread. librdkafka's random isn't among them: a key would have no order.",
  ),
} satisfies Record<string, TSchema>;
