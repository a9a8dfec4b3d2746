// Settings of every client: addresses, connections, time-outs, security.
import { type TSchema, Type } from "@sinclair/typebox";
import { choice, flag, HOUR_MS, INT_MAX, integer, optionalText } from "./settings-rows.ts";

const PORT = "(0*[1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5])";
/** A name or an address, IPv6 in brackets; the port is optional for librdkafka, which then takes 9092. */
const BROKER = `(?:[\\w.-]+|\\[[0-9a-fA-F:.]+\\])(?::${PORT})?`;

/** Rows that every client has. */
export const clientSettings = {
  KAFKA_BOOTSTRAP_SERVERS: Type.String({
    librdkafka: "bootstrap.servers",
    default: "localhost:9092",
    pattern: `^${BROKER}(\\s*,\\s*${BROKER})*$`,
    accepts: "host:port of one or more brokers, separated by commas, without http://; the port is 1 to 65535",
    description:
      "Brokers to contact first, as host:port, separated by commas; the client discovers the others from them.",
  }),
  KAFKA_CLIENT_ID: Type.String({
    librdkafka: "client.id",
    default: "ingest",
    description: "This client's name in the broker's logs, metrics and quotas.",
  }),
  KAFKA_SOCKET_KEEPALIVE_ENABLE: flag(
    "socket.keepalive.enable",
    true,
    "Firewalls and load balancers drop idle connections; keep-alives detect a dead one before it is needed.",
  ),
  KAFKA_SOCKET_TIMEOUT_MS: integer(
    "socket.timeout.ms",
    [10, 300_000],
    10_000,
    "How long a request waits for its response before the connection is closed; librdkafka's default of 60 s would exceed message.timeout.ms.",
  ),
  KAFKA_SOCKET_CONNECTION_SETUP_TIMEOUT_MS: integer(
    "socket.connection.setup.timeout.ms",
    [1_000, INT_MAX],
    10_000,
    "Time limit for TCP, TLS and SASL together, for hosts that drop packets silently.",
  ),
  KAFKA_RECONNECT_BACKOFF_MS: integer(
    "reconnect.backoff.ms",
    [0, HOUR_MS],
    100,
    "First pause before reconnecting; doubles with each failure.",
  ),
  KAFKA_RECONNECT_BACKOFF_MAX_MS: integer(
    "reconnect.backoff.max.ms",
    [0, HOUR_MS],
    1_000,
    "Longest pause before reconnecting, so that a broker that is back is noticed within about a second.",
  ),
  KAFKA_TOPIC_METADATA_REFRESH_INTERVAL_MS: integer(
    "topic.metadata.refresh.interval.ms",
    [-1, HOUR_MS],
    10_000,
    "How often the topic's partitions are asked for: new partitions, and a topic that was missing, are noticed after that. librdkafka's default is 5 minutes. -1: never.",
  ),
  KAFKA_STATISTICS_INTERVAL_MS: integer(
    "statistics.interval.ms",
    [0, 86_400_000],
    1_000,
    "How often librdkafka emits statistics (brokers up, queue, lag), in steps of 1 s. 0 turns them off; the producer rejects 0, because the statistics tell it that Kafka is available again.",
  ),
  KAFKA_SECURITY_PROTOCOL: choice(
    "security.protocol",
    ["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"],
    "plaintext",
    "TLS (ssl), authentication (sasl), or both. Use ssl or sasl_ssl for any Kafka beyond this host.",
  ),
  KAFKA_SSL_CA_LOCATION: optionalText(
    "ssl.ca.location",
    "File or folder of CA certificates (PEM) to verify the broker's certificate with; the system's own by default.",
  ),
  KAFKA_SSL_CA_PEM: optionalText(
    "ssl.ca.pem",
    "CA certificates as PEM text, for platforms that pass secrets as variables.",
  ),
  KAFKA_SSL_CERTIFICATE_LOCATION: optionalText(
    "ssl.certificate.location",
    "This client's certificate (PEM file), for brokers that require one.",
  ),
  KAFKA_SSL_CERTIFICATE_PEM: optionalText("ssl.certificate.pem", "This client's certificate as PEM text."),
  KAFKA_SSL_KEY_LOCATION: optionalText(
    "ssl.key.location",
    "The client certificate's private key (PEM file).",
  ),
  KAFKA_SSL_KEY_PEM: optionalText("ssl.key.pem", "The private key as PEM text."),
  KAFKA_SSL_KEY_PASSWORD: optionalText("ssl.key.password", "The private key's passphrase."),
  KAFKA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM: choice(
    "ssl.endpoint.identification.algorithm",
    ["https", "none"],
    "https",
    "https: the broker's certificate must match the host name. none is for tests.",
  ),
  KAFKA_ENABLE_SSL_CERTIFICATE_VERIFICATION: flag(
    "enable.ssl.certificate.verification",
    true,
    "false allows anyone on the network path to impersonate the broker: for tests only.",
  ),
  KAFKA_SASL_MECHANISM: Type.Optional(
    Type.Union(
      (["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] as const).map((m) => Type.Literal(m)),
      {
        librdkafka: "sasl.mechanism",
        description: "Authentication mechanism; required with sasl_plaintext and sasl_ssl.",
      },
    ),
  ),
  KAFKA_SASL_USERNAME: optionalText("sasl.username", "User name for PLAIN and SCRAM."),
  KAFKA_SASL_PASSWORD: optionalText("sasl.password", "Password for PLAIN and SCRAM."),
  KAFKA_SASL_OAUTHBEARER_METHOD: Type.Optional(
    Type.Union([Type.Literal("default"), Type.Literal("oidc")], {
      librdkafka: "sasl.oauthbearer.method",
      description: "oidc: librdkafka itself fetches tokens, with the KAFKA_SASL_OAUTHBEARER_ settings below.",
    }),
  ),
  KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL: optionalText(
    "sasl.oauthbearer.token.endpoint.url",
    "URL of the token endpoint.",
  ),
  KAFKA_SASL_OAUTHBEARER_CLIENT_ID: optionalText(
    "sasl.oauthbearer.client.id",
    "Client id at the token endpoint.",
  ),
  KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET: optionalText(
    "sasl.oauthbearer.client.secret",
    "Client secret at the token endpoint.",
  ),
  KAFKA_SASL_OAUTHBEARER_SCOPE: optionalText("sasl.oauthbearer.scope", "Scope to request."),
} satisfies Record<string, TSchema>;
