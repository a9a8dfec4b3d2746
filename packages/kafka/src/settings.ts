// The settings table: environment name → librdkafka's key → type → default → reason.
// A service merges the maps it needs into its own schema; client-config.ts turns the values into librdkafka's.
import { type Static, type TObject, type TSchema, Type } from "@sinclair/typebox";

/** What a row carries beside its TypeBox schema. */
export interface SettingRow extends TSchema {
  /** librdkafka's property; none when the setting is this project's own. */
  librdkafka?: string;
  /** Why the default is what it is. */
  description: string;
  /** Never to be shown in logs or pages. */
  isSecret?: boolean;
}

function integer<const K extends string>(
  librdkafka: K,
  range: [number, number],
  value: number,
  description: string,
) {
  return Type.Integer({ librdkafka, minimum: range[0], maximum: range[1], default: value, description });
}

function flag(librdkafka: string, value: boolean, description: string) {
  return Type.Boolean({ librdkafka, default: value, description });
}

function choice<const T extends string[]>(
  librdkafka: string,
  values: T,
  value: T[number],
  description: string,
) {
  return Type.Union(
    values.map((v) => Type.Literal(v as T[number])),
    { librdkafka, default: value, description },
  );
}

function optionalText(librdkafka: string, description: string, isSecret = false) {
  return Type.Optional(Type.String({ librdkafka, description, ...(isSecret ? { isSecret } : {}) }));
}

const HOUR_MS = 3_600_000;
const INT_MAX = 2_147_483_647;

/** What every client needs: where Kafka is, how it is spoken to, how fast trouble is noticed. */
export const clientSettings = {
  KAFKA_BOOTSTRAP_SERVERS: Type.String({
    librdkafka: "bootstrap.servers",
    default: "localhost:9092",
    minLength: 1,
    description: "First brokers to ask, host:port with commas between; the others are learnt from them.",
  }),
  KAFKA_CLIENT_ID: Type.String({
    librdkafka: "client.id",
    default: "ingest",
    description: "The name in the broker's logs, metrics and quotas.",
  }),
  KAFKA_SOCKET_KEEPALIVE_ENABLE: flag(
    "socket.keepalive.enable",
    true,
    "Firewalls and load balancers drop silent connections; keep-alives show a dead one before it is needed.",
  ),
  KAFKA_SOCKET_TIMEOUT_MS: integer(
    "socket.timeout.ms",
    [10, 300_000],
    10_000,
    "A broker that stopped answering is left after this; librdkafka's 60 s would outlast message.timeout.ms.",
  ),
  KAFKA_SOCKET_CONNECTION_SETUP_TIMEOUT_MS: integer(
    "socket.connection.setup.timeout.ms",
    [1_000, INT_MAX],
    10_000,
    "TCP, TLS and SASL together; a host that swallows packets is given up after this.",
  ),
  KAFKA_RECONNECT_BACKOFF_MS: integer(
    "reconnect.backoff.ms",
    [0, HOUR_MS],
    100,
    "First pause before connecting again; doubled each time.",
  ),
  KAFKA_RECONNECT_BACKOFF_MAX_MS: integer(
    "reconnect.backoff.max.ms",
    [0, HOUR_MS],
    1_000,
    "Longest such pause: a broker that is back is noticed within a second or so, not within ten.",
  ),
  KAFKA_STATISTICS_INTERVAL_MS: integer(
    "statistics.interval.ms",
    [0, 86_400_000],
    1_000,
    "How often librdkafka's figures (brokers up, queue, lag) are read, in steps of 1 s; 0 turns them off.",
  ),
  KAFKA_SECURITY_PROTOCOL: choice(
    "security.protocol",
    ["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"],
    "plaintext",
    "TLS (ssl), a login (sasl), or both. Kafka outside of one's own host wants sasl_ssl or ssl.",
  ),
  KAFKA_SSL_CA_LOCATION: optionalText(
    "ssl.ca.location",
    "File or folder of CA certificates (PEM) that the broker's must come from; the system's own when left out.",
  ),
  KAFKA_SSL_CA_PEM: optionalText("ssl.ca.pem", "The same as text, for platforms that hand secrets over so."),
  KAFKA_SSL_CERTIFICATE_LOCATION: optionalText(
    "ssl.certificate.location",
    "This client's certificate (PEM), for brokers that ask for one.",
  ),
  KAFKA_SSL_CERTIFICATE_PEM: optionalText("ssl.certificate.pem", "The same as text."),
  KAFKA_SSL_KEY_LOCATION: optionalText("ssl.key.location", "The certificate's private key (PEM)."),
  KAFKA_SSL_KEY_PEM: optionalText("ssl.key.pem", "The same as text.", true),
  KAFKA_SSL_KEY_PASSWORD: optionalText("ssl.key.password", "The private key's passphrase.", true),
  KAFKA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM: choice(
    "ssl.endpoint.identification.algorithm",
    ["https", "none"],
    "https",
    "The broker's certificate must name the host that was called. none is for tests.",
  ),
  KAFKA_ENABLE_SSL_CERTIFICATE_VERIFICATION: flag(
    "enable.ssl.certificate.verification",
    true,
    "Off, anybody in between can read and answer. Off is for tests.",
  ),
  KAFKA_SASL_MECHANISM: Type.Optional(
    Type.Union(
      (["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "GSSAPI"] as const).map((m) =>
        Type.Literal(m),
      ),
      {
        librdkafka: "sasl.mechanism",
        description: "How to log in; needed with sasl_plaintext and sasl_ssl.",
      },
    ),
  ),
  KAFKA_SASL_USERNAME: optionalText("sasl.username", "For PLAIN and SCRAM."),
  KAFKA_SASL_PASSWORD: optionalText("sasl.password", "For PLAIN and SCRAM.", true),
  KAFKA_SASL_OAUTHBEARER_METHOD: Type.Optional(
    Type.Union([Type.Literal("default"), Type.Literal("oidc")], {
      librdkafka: "sasl.oauthbearer.method",
      description: "oidc: librdkafka fetches tokens itself, with the four settings below.",
    }),
  ),
  KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL: optionalText(
    "sasl.oauthbearer.token.endpoint.url",
    "Where tokens come from.",
  ),
  KAFKA_SASL_OAUTHBEARER_CLIENT_ID: optionalText("sasl.oauthbearer.client.id", "This client's id there."),
  KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET: optionalText(
    "sasl.oauthbearer.client.secret",
    "And its secret.",
    true,
  ),
  KAFKA_SASL_OAUTHBEARER_SCOPE: optionalText("sasl.oauthbearer.scope", "Scope to ask for."),
} satisfies Record<string, TSchema>;

/** The topic that events go to. Not librdkafka's: the admin client makes it when it is missing. */
export const topicSettings = {
  KAFKA_TOPIC: Type.String({
    default: "events",
    minLength: 1,
    maxLength: 249,
    pattern: "^[a-zA-Z0-9._-]+$",
    examples: ["events"],
    description: "Where events are written and read; made at start when it is missing.",
  }),
  KAFKA_TOPIC_PARTITIONS: Type.Integer({
    default: 6,
    minimum: 1,
    maximum: 10_000,
    description:
      "Used when the topic is made. As many consumers can share the work; 6 divides by 1, 2, 3 and 6.",
  }),
  KAFKA_TOPIC_REPLICATION_FACTOR: Type.Integer({
    default: 1,
    minimum: 1,
    maximum: 32_767,
    description: "Used when the topic is made. 1 fits one broker; a cluster that may lose a broker wants 3.",
  }),
} satisfies Record<string, TSchema>;

/** How records are collected, sent and given up. */
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
    [1, INT_MAX],
    100_000,
    "Records waiting or in flight; beyond it the answer is 503. About a second of one core's work.",
  ),
  KAFKA_QUEUE_BUFFERING_MAX_KBYTES: integer(
    "queue.buffering.max.kbytes",
    [1, INT_MAX],
    65_536,
    "The same in KiB: 64 MiB bounds the process's memory, where librdkafka's own 1 GiB would not.",
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
    5,
    "Requests a broker may have unanswered; 5 is the most that idempotence keeps in order.",
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
    ["random", "consistent", "consistent_random", "murmur2", "murmur2_random", "fnv1a", "fnv1a_random"],
    "murmur2_random",
    "The Java clients' choice, so a key lands in the same partition whoever writes it; no key: spread.",
  ),
} satisfies Record<string, TSchema>;

/** How a group member reads. */
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
    ["earliest", "latest", "error"],
    "earliest",
    "Where a group begins that has no offset: at the start, so that nothing is missed.",
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

export type ClientSettings = Static<TObject<typeof clientSettings>>;
export type TopicSettings = Static<TObject<typeof topicSettings>>;
export type ProducerSettings = Static<TObject<typeof producerSettings>>;
export type ConsumerSettings = Static<TObject<typeof consumerSettings>>;

/** Which kind of client a configuration is for. */
export type ClientRole = "producer" | "consumer" | "admin";

/** The rows that a client of this kind takes. */
export function settingsOf(role: ClientRole): Readonly<Record<string, TSchema>> {
  return role === "producer" ? producerSettings : role === "consumer" ? consumerSettings : clientSettings;
}

/** Every row of this package, a name once. */
export const allKafkaSettings: Readonly<Record<string, TSchema>> = {
  ...topicSettings,
  ...producerSettings,
  ...consumerSettings,
};
