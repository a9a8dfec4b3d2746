// The shape of ROUTES_FILE: the TypeScript type, and the JSON Schema that is published as routes.schema.json.
import { topicName } from "@ingest/kafka";
import { type Static, Type } from "@sinclair/typebox";

const strict = { additionalProperties: false };
const choice = <const T extends string>(names: readonly T[], description: string) =>
  Type.Optional(
    Type.Union(
      names.map((name) => Type.Literal(name)),
      { description },
    ),
  );

const RouteEntry = Type.Object(
  {
    topic: Type.String({
      pattern: topicName.pattern,
      title: `must be ${topicName.accepts}`,
      description: "The topic; created at start where it is missing.",
    }),
    event_types: Type.Array(
      Type.String({
        pattern: "^[^*]*\\*?$",
        minLength: 1,
        maxLength: 256,
        title: "may have * only at its end",
      }),
      {
        minItems: 1,
        uniqueItems: true,
        description:
          "The event types that go to this topic: exact ones (`order.created`), or prefixes (`order.*`). An exact one decides before any prefix, and a longer prefix before a shorter one.",
      },
    ),
    partitions: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000,
        description: "Partitions of the topic when it is created. By default `KAFKA_TOPIC_PARTITIONS`.",
      }),
    ),
    replication_factor: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100,
        description:
          "Replicas of each partition when the topic is created. By default `KAFKA_TOPIC_REPLICATION_FACTOR`.",
      }),
    ),
    retention_ms: Type.Optional(
      Type.Integer({
        minimum: -1,
        maximum: Number.MAX_SAFE_INTEGER,
        description:
          "How long the topic keeps records, when it is created (Kafka's `retention.ms`); -1: without a limit. By default the broker's setting.",
      }),
    ),
    cleanup_policy: choice(
      ["delete", "compact", "compact,delete"],
      "Kafka's `cleanup.policy` when the topic is created. By default the broker's setting. A compacted topic takes no event without a key.",
    ),
    compression: choice(
      ["none", "gzip", "snappy", "lz4", "zstd"],
      "The compression of this topic's batches, where it differs from `KAFKA_COMPRESSION_TYPE`.",
    ),
  },
  strict,
);
export type RouteEntry = Static<typeof RouteEntry>;

export const RoutesFile = Type.Object(
  {
    $schema: Type.Optional(Type.String({ description: "For editors: the URL of this schema." })),
    routes: Type.Array(RouteEntry),
  },
  {
    ...strict,
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "ROUTES_FILE: which event types go to which topic",
  },
);

/** The text of routes.schema.json. */
export function routesSchema(): string {
  return `${JSON.stringify(RoutesFile, null, 2)}\n`;
}
