// The settings table: environment name → librdkafka's key → type → default → reason.
// A service merges the maps it needs into its own schema; client-config.ts turns the values into librdkafka's.
import { type Static, type TObject, type TSchema, Type } from "@sinclair/typebox";
import { clientSettings } from "./settings-client.ts";
import { consumerSettings } from "./settings-consumer.ts";
import { producerSettings } from "./settings-producer.ts";

export { clientSettings, consumerSettings, producerSettings };

/** What Kafka accepts as a topic's name. */
export const topicName = {
  pattern: "^(?!\\.{1,2}$)[a-zA-Z0-9._-]{1,249}$",
  /** The same in words, for error messages. */
  accepts: "a topic name: 1 to 249 letters, digits, '.', '_' and '-', and neither '.' nor '..'",
} as const;

/** The topic that events go to. No librdkafka properties: the admin client creates the topic when it is missing. */
export const topicSettings = {
  KAFKA_TOPIC: Type.String({
    default: "events",
    ...topicName,
    examples: ["events"],
    description: "Topic that events are written to and read from; created at start if it is missing.",
  }),
  KAFKA_TOPIC_PARTITIONS: Type.Integer({
    default: 6,
    minimum: 1,
    maximum: 10_000,
    description:
      "Partitions of a newly created topic, and so the most consumers that can share the work; 6 divides evenly among 1, 2, 3 and 6.",
  }),
  KAFKA_TOPIC_REPLICATION_FACTOR: Type.Integer({
    default: 1,
    minimum: 1,
    maximum: 32_767,
    description:
      "Replication factor of a newly created topic. 1 fits a single broker; use 3 on a cluster that must survive the loss of a broker.",
  }),
} satisfies Record<string, TSchema>;

/** Of the service that owns the topic: the producer. */
export const topicOwnerSettings = {
  KAFKA_TOPIC_RECREATE: Type.Boolean({
    default: true,
    description:
      "Create the topic again when it is deleted while the producer runs. false: its events wait in the journal until somebody creates it.",
  }),
} satisfies Record<string, TSchema>;

export type ClientSettings = Static<TObject<typeof clientSettings>>;
export type TopicSettings = Static<TObject<typeof topicSettings>>;
export type TopicOwnerSettings = Static<TObject<typeof topicOwnerSettings>>;
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
  ...topicOwnerSettings,
  ...producerSettings,
  ...consumerSettings,
};
