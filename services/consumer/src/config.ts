// The consumer's settings: one schema, read once; all problems are reported together.
import { deadLetterTopic, jsonDepthSettings } from "@ingest/contract";
import {
  type ConsumerSettings,
  consumerSettings,
  isNotForKafka,
  kafkaRule,
  type TopicSettings,
  topicName,
  topicSettings,
} from "@ingest/kafka";
import { type Env, type LogSettings, logSettings, parseSettings, type SettingProblem } from "@ingest/service";
import { type Static, type TObject, Type } from "@sinclair/typebox";
import { databaseProblem } from "./deduplication/database-problem.ts";
import { postgresProblems, postgresSettings } from "./handlers/postgres/settings.ts";
import { webhookProblems, webhookSettings } from "./handlers/webhook/settings.ts";

export const consumerOwnSettings = {
  HEALTH_PORT: Type.Integer({
    default: 3001,
    minimum: 0,
    maximum: 65_535,
    description: "Port of the HTTP server for health and metrics.",
  }),
  HOST: Type.String({ default: "0.0.0.0", description: "Address that the HTTP server listens on." }),
  CONSUMER_HANDLER: Type.Union([Type.Literal("logger"), Type.Literal("postgres"), Type.Literal("webhook")], {
    default: "logger",
    description:
      "Handler of events: `logger` writes a line for each, `postgres` inserts them into a table, `webhook` posts each to a URL.",
  }),
  CONSUMER_CONCURRENCY: Type.Integer({
    default: 1,
    minimum: 1,
    maximum: 1_000,
    description: "Events of one partition handled concurrently. Events with the same key stay in order.",
  }),
  CONSUMER_FETCH_RECORDS: Type.Integer({
    default: 2_000,
    minimum: 1,
    maximum: 100_000,
    description:
      "Records fetched from the client at once. Large enough that the cost of the native call is spread over many.",
  }),
  CONSUMER_BUFFER_RECORDS: Type.Integer({
    default: 4_000,
    minimum: 1,
    maximum: 1_000_000,
    description: "Records of one partition in flight, above which the partition is paused.",
  }),
  CONSUMER_BUFFER_BYTES: Type.Integer({
    default: 32 * 1024 * 1024,
    minimum: 1,
    maximum: 64 * 1024 ** 3,
    description: "Bytes of keys and values in flight, for all partitions of this consumer in equal shares.",
  }),
  COMMIT_INTERVAL_MS: Type.Integer({
    default: 1_000,
    minimum: 0,
    maximum: 60_000,
    description:
      "Time between commits. Events handled since the last commit are handled again after a crash.",
  }),
  REBALANCE_BUDGET_MS: Type.Integer({
    default: 10_000,
    minimum: 0,
    maximum: 600_000,
    description:
      "Time that events in flight have to finish when their partition is revoked. Then they are left to its next owner.",
  }),
  SHUTDOWN_BUDGET_MS: Type.Integer({
    default: 15_000,
    minimum: 0,
    maximum: 600_000,
    description:
      "Time that events in flight have to finish after SIGTERM. The orchestrator's grace period must be a few seconds longer.",
  }),
  ...jsonDepthSettings,
  RETRY_MAX_TRIES: Type.Integer({
    default: 8,
    minimum: 0,
    maximum: 1_000_000,
    description: "Calls of the handler for one event before it becomes a dead letter; 0: until it succeeds.",
  }),
  RETRY_BACKOFF_MS: Type.Integer({
    default: 200,
    minimum: 1,
    maximum: 3_600_000,
    description: "Pause before the first retry; doubled for each further one. Half of it is random.",
  }),
  RETRY_BACKOFF_MAX_MS: Type.Integer({
    default: 30_000,
    minimum: 1,
    maximum: 3_600_000,
    description: "Longest pause between tries.",
  }),
  DEAD_LETTER_TOPIC: Type.Optional(
    Type.String({
      ...topicName,
      examples: ["events.dead-letter"],
      description:
        "Topic for events that could not be handled. Default: `<topic>.dead-letter`. `off`: no such topic.",
    }),
  ),
  DEDUPLICATE: Type.Boolean({
    default: false,
    description: "Skip events whose event_id was handled before in the same partition.",
  }),
  DEDUPLICATE_PATH: Type.String({
    default: "data/consumer-seen.sqlite",
    minLength: 1,
    description:
      "SQLite file of the event_ids that were handled; created at start if it is missing, with its folder.",
  }),
  DEDUPLICATE_WINDOW: Type.Integer({
    default: 1_000_000,
    minimum: 1,
    maximum: 1_000_000_000,
    description:
      "Distance within which duplicates are recognised, in offsets of the partition. Each takes about 100 bytes of disk.",
  }),
  STALL_TIMEOUT_MS: Type.Integer({
    default: 120_000,
    minimum: 1_000,
    maximum: 86_400_000,
    description:
      "Liveness fails after a partition has had work without progress for this long, so that the orchestrator restarts the process.",
  }),
};

export const consumerRows = {
  ...consumerSettings,
  ...topicSettings,
  ...logSettings,
  ...postgresSettings,
  ...webhookSettings,
  ...consumerOwnSettings,
};

export type Settings = Readonly<
  ConsumerSettings &
    TopicSettings &
    LogSettings &
    Static<TObject<typeof postgresSettings & typeof webhookSettings & typeof consumerOwnSettings>>
>;

/** @throws SettingsError with all problems */
export function readSettings(env: Env): Settings {
  const rules = [kafkaRule("consumer", env), contradictions];
  return parseSettings(consumerRows, env, rules, isNotForKafka) as Settings;
}

function contradictions(settings: object): SettingProblem[] {
  const s = settings as Settings;
  const problems: SettingProblem[] = [];
  const add = (name: keyof Settings, message: string) =>
    problems.push({ name, value: s[name] === undefined ? undefined : String(s[name]), message });
  if (s.RETRY_BACKOFF_MS > s.RETRY_BACKOFF_MAX_MS)
    add("RETRY_BACKOFF_MS", "must not be above RETRY_BACKOFF_MAX_MS");
  if (s.REBALANCE_BUDGET_MS >= s.KAFKA_MAX_POLL_INTERVAL_MS)
    add(
      "REBALANCE_BUDGET_MS",
      "must be below KAFKA_MAX_POLL_INTERVAL_MS, the longest time that the group waits",
    );
  if (s.RETRY_BACKOFF_MAX_MS >= s.STALL_TIMEOUT_MS)
    add(
      "STALL_TIMEOUT_MS",
      "must be above RETRY_BACKOFF_MAX_MS; otherwise a pause between tries counts as a stall",
    );
  if (s.DEAD_LETTER_TOPIC === s.KAFKA_TOPIC)
    add(
      "DEAD_LETTER_TOPIC",
      "must not be KAFKA_TOPIC: each dead letter would be read and dead-lettered again, without end",
    );
  if (
    s.DEAD_LETTER_TOPIC === undefined &&
    !new RegExp(topicName.pattern).test(deadLetterTopic(s.KAFKA_TOPIC))
  )
    add("KAFKA_TOPIC", "is too long for the default name of its dead-letter topic: set DEAD_LETTER_TOPIC");
  const deduplicationProblem = s.DEDUPLICATE ? databaseProblem(s.DEDUPLICATE_PATH) : undefined;
  if (deduplicationProblem !== undefined) add("DEDUPLICATE_PATH", deduplicationProblem);
  if (s.CONSUMER_HANDLER === "postgres") problems.push(...postgresProblems(s));
  if (s.CONSUMER_HANDLER === "webhook") problems.push(...webhookProblems(s));
  return problems;
}
