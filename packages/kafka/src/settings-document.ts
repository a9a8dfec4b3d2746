// The settings table as Markdown: the documentation is made from what the code reads.
import type { TSchema } from "@sinclair/typebox";
import { clientSettings, consumerSettings, producerSettings, topicSettings } from "./settings.ts";

const PARTS: readonly [title: string, rows: Readonly<Record<string, TSchema>>][] = [
  ["Every client", clientSettings],
  ["The topic", topicSettings],
  ["Producer", without(producerSettings, clientSettings)],
  ["Consumer", without(consumerSettings, clientSettings)],
];

/** docs/settings-kafka.md, whole. */
export function kafkaSettingsDocument(): string {
  return [
    "<!-- Written by `bun packages/kafka/build/generate-settings-document.ts`; change packages/kafka/src/settings.ts. -->",
    "# Kafka settings",
    "",
    "Environment variables of the producer and the consumer. A name is librdkafka's in capitals with `KAFKA_` before " +
      "it. Any other property of librdkafka's can be set the same way (`KAFKA_SOCKET_NAGLE_DISABLE` is " +
      "`socket.nagle.disable`); a name or value that librdkafka doesn't know keeps the service from starting.",
    ...PARTS.flatMap(([title, rows]) => ["", `## ${title}`, "", ...settingsTable(rows)]),
    "",
  ].join("\n");
}

/** One table, a line a setting. Works for any map of TypeBox properties with descriptions. */
export function settingsTable(rows: Readonly<Record<string, TSchema>>): string[] {
  return [
    "| name | librdkafka | takes | default | why |",
    "|---|---|---|---|---|",
    ...Object.entries(rows).map(([name, row]) => {
      const property = typeof row.librdkafka === "string" ? code(row.librdkafka) : "";
      const cells = [code(name), property, takes(row), defaultOf(row), row.description ?? ""];
      return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
    }),
  ];
}

function takes(row: TSchema): string {
  if (row.anyOf) return (row.anyOf as TSchema[]).map(takes).join(", ");
  if (row.const !== undefined) return code(String(row.const));
  if (row.type === "integer") return `${range(row.minimum)} … ${range(row.maximum)}`;
  if (row.type === "boolean") return "`true`, `false`";
  return row.isSecret ? "secret text" : "text";
}

function range(bound: unknown): string {
  return typeof bound === "number" ? bound.toLocaleString("en") : "";
}

function defaultOf(row: TSchema): string {
  return row.default === undefined ? "" : code(String(row.default));
}

function code(text: string): string {
  return `\`${text}\``;
}

function without(rows: Readonly<Record<string, TSchema>>, others: object): Readonly<Record<string, TSchema>> {
  return Object.fromEntries(Object.entries(rows).filter(([name]) => !(name in others)));
}
