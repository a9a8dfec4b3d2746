// All settings of the producer, and the contradictions between them with which it does not start.
import { durabilities, jsonDepthSettings } from "@ingest/contract";
import {
  type ClientConfig,
  isNotForKafka,
  kafkaRule,
  type ProducerSettings,
  producerSettings,
  type TopicOwnerSettings,
  type TopicSettings,
  toClientConfig,
  topicOwnerSettings,
  topicSettings,
} from "@ingest/kafka";
import {
  type Env,
  type LogSettings,
  logSettings,
  parseSettings,
  type SettingProblem,
  type SettingsRule,
} from "@ingest/service";
import { type Static, type TObject, Type } from "@sinclair/typebox";
import { type CallerSettings, callerSettings, checkCallerSettings } from "./callers/settings.ts";
import { checkDeliverySettings, type DeliverySettings, deliverySettings } from "./delivery/index.ts";
import { type AdapterSettings, adapterSettings } from "./formats/adapters/settings.ts";
import { type CloudEventSettings, cloudEventSettings } from "./formats/cloud-events/settings.ts";
import { checkEdgeSettings, type EdgeSettings, edgeSettings } from "./http/edge-settings.ts";
import { type RouteSettings, routeSettings } from "./routes/settings.ts";
import { checkSchemaSettings, type SchemaSettings, schemaSettings } from "./schemas/settings.ts";
import { checkTlsSettings, type TlsSettings, tlsSettings } from "./tls/settings.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Upper bound of what a record adds to the caller's bytes: id, timestamp, key, and Kafka's record format. */
const RECORD_OVERHEAD_BYTES = 2 * KIB;

export const httpSettings = {
  PORT: Type.Integer({
    default: 3000,
    minimum: 0,
    maximum: 65_535,
    description: "The port of the API; 0 takes a free port and logs it.",
  }),
  HOST: Type.String({ default: "0.0.0.0", minLength: 1, description: "The address to listen on." }),
  HTTP_SERVER: Type.Union([Type.Literal("native"), Type.Literal("bun")], {
    default: "native",
    description:
      "native: the server of packages/http-server. bun: the same application on Bun.serve, which costs more for each event and lacks some of the bounds; the README of packages/http-server lists them.",
  }),
  ADMIN_PORT: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 65_535,
      description:
        "When set, `/metrics`, `/health/*`, `/openapi` and `/` are on this port, and 404 on `PORT`. 0 takes a free port and logs it.",
    }),
  ),
  ADMIN_HOST: Type.String({
    default: "0.0.0.0",
    minLength: 1,
    description: "The address that `ADMIN_PORT` listens on.",
  }),
  OPENAPI_ENABLED: Type.Boolean({
    default: true,
    description: "Serves the API's page and document at `/openapi`.",
  }),
  WORKERS: Type.Union([Type.Literal("auto"), Type.Integer({ minimum: 1, maximum: 256 })], {
    default: 1,
    description: "Processes that share the port; auto: one per core.",
  }),
  WORKER_HUNG_MS: Type.Integer({
    default: 10_000,
    minimum: 500,
    maximum: 600_000,
    description:
      "With several workers: one that doesn't reply to five consecutive pings of its parent within this time is killed and restarted.",
  }),
  WORKER_START_TIMEOUT_MS: Type.Integer({
    default: 120_000,
    minimum: 1_000,
    maximum: 3_600_000,
    description:
      "With several workers: one that isn't listening this long after its start is killed. Reading a large journal takes a while.",
  }),
  DEFAULT_DURABILITY: Type.Union(
    durabilities.map((durability) => Type.Literal(durability)),
    { default: "accepted", description: "The durability of requests that ask for none." },
  ),
  MAX_EVENT_BYTES: Type.Integer({
    default: 512 * KIB,
    minimum: 256,
    maximum: 1_000_000_000,
    description: "Largest event, as decompressed JSON text. Beyond it: 413.",
  }),
  ...jsonDepthSettings,
  MAX_BODY_BYTES: Type.Integer({
    default: 8 * MIB,
    minimum: 256,
    maximum: 1_000_000_000,
    description: "Largest body of a batch, as sent and decompressed. Beyond it: 413.",
  }),
  MAX_BATCH_EVENTS: Type.Integer({
    default: 10_000,
    minimum: 1,
    maximum: 1_000_000,
    description: "Most events in a batch. Beyond it: 413.",
  }),
  MAX_IN_FLIGHT_REQUESTS: Type.Integer({
    default: 4_096,
    minimum: 1,
    maximum: 1_000_000,
    description: "Most requests at once, for each worker. Beyond it: 503, before the body is read.",
  }),
  MAX_IN_FLIGHT_BYTES: Type.Integer({
    default: 32 * MIB,
    minimum: 256,
    description:
      "Most bytes of incomplete requests and of bodies in memory at once, for each worker. Beyond it: 503.",
  }),
  MAX_UNSENT_BYTES: Type.Integer({
    default: 32 * MIB,
    minimum: 64 * KIB,
    description:
      "Most bytes of responses that clients have not read yet, for each worker; one connection may take half of them. Beyond it the connection is closed.",
  }),
  MAX_CONNECTIONS: Type.Integer({
    default: 10_000,
    minimum: 1,
    maximum: 1_000_000,
    description:
      "Most open connections, for each worker. Beyond it: 503, and the connection is closed. Lowered to the limit of file descriptors (ulimit -n), less 1,000 for other purposes.",
  }),
  HEAD_TIMEOUT_MS: Type.Integer({
    default: 10_000,
    minimum: 100,
    maximum: 120_000,
    description: "Time to receive the head of a request. Beyond it: 408.",
  }),
  BODY_TIMEOUT_MS: Type.Integer({
    default: 10_000,
    minimum: 100,
    maximum: 120_000,
    description:
      "A request body must arrive at MIN_BODY_RATE at least, measured over periods of this length. Otherwise: 408.",
  }),
  SEND_TIMEOUT_MS: Type.Integer({
    default: 10_000,
    minimum: 100,
    maximum: 120_000,
    description:
      "A client must read a response at MIN_BODY_RATE at least, measured over periods of this length. Otherwise the connection is closed.",
  }),
  MIN_BODY_RATE: Type.Integer({
    default: 500,
    minimum: 0,
    maximum: 1_000_000,
    description:
      "Lowest rate of request and response bodies, bytes/s, over BODY_TIMEOUT_MS and SEND_TIMEOUT_MS. 0: any progress is enough.",
  }),
  IDLE_TIMEOUT_SECONDS: Type.Integer({
    default: 75,
    minimum: 1,
    maximum: 3_600,
    description:
      "A connection on which no request begins for this long is closed. Longer than a proxy in front keeps idle connections, so that the proxy closes them first.",
  }),
  SHUTDOWN_DELAY_MS: Type.Integer({
    default: 5_000,
    minimum: 0,
    maximum: 600_000,
    description:
      "Time after SIGTERM in which the producer is not ready, but still takes connections and events; each response carries Connection: close. Longer than a load balancer takes to notice: its probe's period times the failures that it waits for. 0 without one, or where a preStop hook waits.",
  }),
  SHUTDOWN_TIMEOUT_MS: Type.Integer({
    default: 30_000,
    minimum: 1_000,
    maximum: 600_000,
    description:
      "Time for a graceful shutdown after SHUTDOWN_DELAY_MS: requests end, the client's queue is flushed, the rest goes to the journal.",
  }),
};
export type HttpSettings = Static<TObject<typeof httpSettings>>;

export const producerRows = {
  ...httpSettings,
  ...tlsSettings,
  ...edgeSettings,
  ...schemaSettings,
  ...cloudEventSettings,
  ...adapterSettings,
  ...callerSettings,
  ...routeSettings,
  ...logSettings,
  ...topicSettings,
  ...topicOwnerSettings,
  ...producerSettings,
  ...deliverySettings,
};
type Settings = Readonly<
  HttpSettings &
    TlsSettings &
    EdgeSettings &
    SchemaSettings &
    CloudEventSettings &
    AdapterSettings &
    CallerSettings &
    RouteSettings &
    LogSettings &
    TopicSettings &
    TopicOwnerSettings &
    ProducerSettings &
    DeliverySettings
>;

export interface Config {
  settings: Settings;
  /** librdkafka's configuration for the producer and the admin client. */
  kafka: ClientConfig;
}

/**
 * Reads the producer's configuration.
 * @throws SettingsError naming every problem
 */
export function readConfig(env: Env): Config {
  const rules: SettingsRule<Settings>[] = [
    kafkaRule("producer", env),
    checkDeliverySettings,
    checkEdgeSettings,
    checkTlsSettings,
    checkSchemaSettings,
    checkCallerSettings,
    checkLimits,
  ];
  const parsed: Settings = parseSettings(producerRows, env, rules, isNotForKafka);
  return { settings: parsed, kafka: toClientConfig(parsed, "producer", env) };
}

/** Limits that would contradict each other or Kafka's. */
function checkLimits(
  s: HttpSettings &
    Pick<Settings, "KAFKA_MESSAGE_MAX_BYTES" | "JOURNAL_ENABLED" | "STORED_DEADLINE_MS" | "PROXY_PROTOCOL">,
): SettingProblem[] {
  const problems: SettingProblem[] = [];
  const addProblem = (name: keyof HttpSettings, message: string) =>
    problems.push({ name, value: String(s[name]), message });
  const largest = s.KAFKA_MESSAGE_MAX_BYTES - RECORD_OVERHEAD_BYTES;
  if (s.MAX_EVENT_BYTES > largest)
    addProblem(
      "MAX_EVENT_BYTES",
      `must not be more than ${largest}: KAFKA_MESSAGE_MAX_BYTES (${s.KAFKA_MESSAGE_MAX_BYTES}) less ${RECORD_OVERHEAD_BYTES} for the rest of the record`,
    );
  if (s.MAX_BODY_BYTES < s.MAX_EVENT_BYTES)
    addProblem("MAX_BODY_BYTES", `must not be less than MAX_EVENT_BYTES (${s.MAX_EVENT_BYTES})`);
  if (s.MAX_IN_FLIGHT_BYTES < s.MAX_BODY_BYTES)
    addProblem("MAX_IN_FLIGHT_BYTES", `must not be less than MAX_BODY_BYTES (${s.MAX_BODY_BYTES})`);
  if (s.ADMIN_PORT !== undefined && s.ADMIN_PORT === s.PORT && s.PORT !== 0)
    addProblem("ADMIN_PORT", "must be another port than PORT");
  if (s.ADMIN_PORT === 0 && s.WORKERS !== 1)
    addProblem("ADMIN_PORT", "must not be 0 with several WORKERS: they share one port");
  if (s.DEFAULT_DURABILITY === "durable" && !s.JOURNAL_ENABLED)
    addProblem("DEFAULT_DURABILITY", "durable requires the journal: JOURNAL_ENABLED=true");
  if (s.HTTP_SERVER === "bun" && s.PROXY_PROTOCOL)
    addProblem("HTTP_SERVER", "bun does not read the PROXY protocol: set native, or PROXY_PROTOCOL=false");
  return problems;
}
