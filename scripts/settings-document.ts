// Writes docs/settings.md from the schemas that the services read: bun scripts/settings-document.ts
import { clientSettings, consumerSettings, producerSettings, topicSettings } from "@ingest/kafka";
import { logSettings, settingsTable } from "@ingest/service";
import type { TSchema } from "@sinclair/typebox";
import { consumerOwnSettings } from "../services/consumer/src/config.ts";
import { webhookSettings } from "../services/consumer/src/handlers/webhook/settings.ts";
import { httpSettings } from "../services/producer/src/config.ts";
import { deliverySettings } from "../services/producer/src/delivery/index.ts";

type Rows = Readonly<Record<string, TSchema>>;

export const settingsParts: readonly [title: string, rows: Rows][] = [
  ["Both services: log lines", logSettings],
  ["Both services: Kafka", clientSettings],
  ["Both services: the topic", topicSettings],
  ["Producer: HTTP", httpSettings],
  ["Producer: durability and journal", deliverySettings],
  ["Producer: Kafka", without(producerSettings, clientSettings)],
  ["Consumer", consumerOwnSettings],
  ["Consumer: the webhook handler", webhookSettings],
  ["Consumer: Kafka", without(consumerSettings, clientSettings)],
];

/** docs/settings.md, whole. */
export function settingsDocument(): string {
  return [
    "<!-- Written by `bun scripts/settings-document.ts` from the schemas; change those. -->",
    "# Settings",
    "",
    "Environment variables. An empty one counts as not set; a wrong one keeps the service from starting, and every wrong " +
      "one is named at once. A name with `KAFKA_` is librdkafka's in capitals: any other property of librdkafka's can be set " +
      "the same way (`KAFKA_SOCKET_NAGLE_DISABLE` is `socket.nagle.disable`), and one that it doesn't know is refused.",
    ...settingsParts.flatMap(([title, rows]) => ["", `## ${title}`, "", ...settingsTable(rows)]),
    "",
  ].join("\n");
}

function without(rows: Rows, others: object): Rows {
  return Object.fromEntries(Object.entries(rows).filter(([name]) => !(name in others)));
}

if (import.meta.main) await Bun.write(new URL("../docs/settings.md", import.meta.url), settingsDocument());
