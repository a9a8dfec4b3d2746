// Settings of every client: where Kafka is, how it is spoken to, how fast trouble is noticed.
import { type TSchema, Type } from "@sinclair/typebox";
import { choice, flag, HOUR_MS, INT_MAX, integer, optionalText } from "./settings-rows.ts";

/** Rows that every client has. */
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
    "How often librdkafka's figures (brokers up, queue, lag) are read, in steps of 1 s; 0 turns them off, which the producer refuses: from them it learns that Kafka is back.",
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
  KAFKA_SSL_KEY_PEM: optionalText("ssl.key.pem", "The same as text."),
  KAFKA_SSL_KEY_PASSWORD: optionalText("ssl.key.password", "The private key's passphrase."),
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
      (["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] as const).map((m) => Type.Literal(m)),
      {
        librdkafka: "sasl.mechanism",
        description: "How to log in; needed with sasl_plaintext and sasl_ssl.",
      },
    ),
  ),
  KAFKA_SASL_USERNAME: optionalText("sasl.username", "For PLAIN and SCRAM."),
  KAFKA_SASL_PASSWORD: optionalText("sasl.password", "For PLAIN and SCRAM."),
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
  KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET: optionalText("sasl.oauthbearer.client.secret", "And its secret."),
  KAFKA_SASL_OAUTHBEARER_SCOPE: optionalText("sasl.oauthbearer.scope", "Scope to ask for."),
} satisfies Record<string, TSchema>;
