// The consumer's settings: one schema, read once, every problem named at once.
import {
  type ConsumerSettings,
  consumerSettings,
  type Env,
  kafkaRule,
  type TopicSettings,
  topicSettings,
} from "@ingest/kafka";
import { type LogSettings, logSettings, parseSettings, type SettingProblem } from "@ingest/service";
import { type Static, type TObject, Type } from "@sinclair/typebox";
import { webhookSettings } from "./handlers/webhook/settings.ts";

export const consumerOwnSettings = {
  HEALTH_PORT: Type.Integer({
    default: 3001,
    minimum: 0,
    maximum: 65_535,
    description: "HTTP: health and metrics.",
  }),
  HOST: Type.String({ default: "0.0.0.0", description: "The address it listens on." }),
  CONSUMER_HANDLER: Type.Union([Type.Literal("logger"), Type.Literal("webhook")], {
    default: "logger",
    description: "What is done with events: a line each, or a POST each.",
  }),
  CONSUMER_CONCURRENCY: Type.Integer({
    default: 1,
    minimum: 1,
    maximum: 1_000,
    description: "Events of one partition handled side by side; those of one key stay in order.",
  }),
  CONSUMER_FETCH_RECORDS: Type.Integer({
    default: 2_000,
    minimum: 1,
    maximum: 100_000,
    description: "Records taken from the client at once: large enough that a crossing costs little of each.",
  }),
  CONSUMER_BUFFER_RECORDS: Type.Integer({
    default: 4_000,
    minimum: 1,
    maximum: 1_000_000,
    description: "Records of one partition under way; beyond it the partition is paused.",
  }),
  CONSUMER_BUFFER_BYTES: Type.Integer({
    default: 32 * 1024 * 1024,
    minimum: 1,
    maximum: 64 * 1024 ** 3,
    description:
      "The same in bytes of keys and values, over all of this consumer's partitions in equal shares.",
  }),
  COMMIT_INTERVAL_MS: Type.Integer({
    default: 1_000,
    minimum: 0,
    maximum: 60_000,
    description: "Time between commits. What was handled since the last is handled again after a crash.",
  }),
  REBALANCE_BUDGET_MS: Type.Integer({
    default: 10_000,
    minimum: 0,
    maximum: 600_000,
    description:
      "What events under way have when their partition is given up, before they are left to its next owner.",
  }),
  SHUTDOWN_BUDGET_MS: Type.Integer({
    default: 15_000,
    minimum: 0,
    maximum: 600_000,
    description: "The same after SIGTERM. Compose and Kubernetes must wait a few seconds longer.",
  }),
  RETRY_MAX_TRIES: Type.Integer({
    default: 8,
    minimum: 0,
    maximum: 1_000_000,
    description: "Calls of the handler with one event before it is a dead letter; 0: until it succeeds.",
  }),
  RETRY_BACKOFF_MS: Type.Integer({
    default: 200,
    minimum: 1,
    maximum: 3_600_000,
    description: "Pause before the second try; doubled each time, half of it by chance.",
  }),
  RETRY_BACKOFF_MAX_MS: Type.Integer({
    default: 30_000,
    minimum: 1,
    maximum: 3_600_000,
    description: "Longest such pause.",
  }),
  DEAD_LETTER_TOPIC: Type.Optional(
    Type.String({
      pattern: "^[a-zA-Z0-9._-]{1,249}$",
      examples: ["events.dead-letter"],
      description:
        "Where goes what can't be handled: `<topic>.dead-letter` when left out, `off` for nowhere.",
    }),
  ),
  DEDUPLICATE: Type.Boolean({
    default: false,
    description: "Handle events with the same event_id in one partition once.",
  }),
  DEDUPLICATE_PATH: Type.String({
    default: "data/consumer-seen.sqlite",
    minLength: 1,
    description: "The file that remembers which were seen.",
  }),
  DEDUPLICATE_WINDOW: Type.Integer({
    default: 1_000_000,
    minimum: 1,
    maximum: 1_000_000_000,
    description:
      "How far back copies are recognised, in offsets of the partition; about 100 bytes of disk each.",
  }),
  STALL_TIMEOUT_MS: Type.Integer({
    default: 120_000,
    minimum: 1_000,
    maximum: 86_400_000,
    description:
      "Work to do and none done for this long: no longer live, so that an orchestrator restarts it.",
  }),
};

const settingsSchema = {
  ...consumerSettings,
  ...topicSettings,
  ...logSettings,
  ...webhookSettings,
  ...consumerOwnSettings,
};

export type Settings = Readonly<
  ConsumerSettings &
    TopicSettings &
    LogSettings &
    Static<TObject<typeof webhookSettings & typeof consumerOwnSettings>>
>;

/** @throws SettingsError naming every problem */
export function readSettings(env: Env): Settings {
  return parseSettings(settingsSchema, env, [kafkaRule("consumer", env), contradictions]) as Settings;
}

function contradictions(settings: object): SettingProblem[] {
  const s = settings as Settings;
  const problems: SettingProblem[] = [];
  const add = (name: keyof Settings, message: string) =>
    problems.push({ name, value: s[name] === undefined ? undefined : String(s[name]), message });
  if (s.RETRY_BACKOFF_MS > s.RETRY_BACKOFF_MAX_MS)
    add("RETRY_BACKOFF_MS", "must not be above RETRY_BACKOFF_MAX_MS");
  if (s.REBALANCE_BUDGET_MS >= s.KAFKA_MAX_POLL_INTERVAL_MS)
    add("REBALANCE_BUDGET_MS", "must be below KAFKA_MAX_POLL_INTERVAL_MS: the group waits no longer");
  if (s.RETRY_BACKOFF_MAX_MS >= s.STALL_TIMEOUT_MS)
    add("STALL_TIMEOUT_MS", "must be above RETRY_BACKOFF_MAX_MS, or a pause between tries counts as a stall");
  if (s.DEAD_LETTER_TOPIC === s.KAFKA_TOPIC)
    add(
      "DEAD_LETTER_TOPIC",
      "must not be KAFKA_TOPIC: a dead letter would be read and written again, for ever",
    );
  if (s.CONSUMER_HANDLER === "webhook" && s.WEBHOOK_URL === undefined)
    add("WEBHOOK_URL", "is required with CONSUMER_HANDLER=webhook");
  return problems;
}
