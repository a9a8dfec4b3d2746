// docs/settings.md and .env.example, from the schemas that the services read.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  clientSettings,
  consumerSettings,
  producerSettings,
  topicOwnerSettings,
  topicSettings,
} from "@ingest/kafka";
import { logSettings, settingsTable } from "@ingest/service";
import type { TSchema } from "@sinclair/typebox";
import { consumerOwnSettings } from "../../services/consumer/src/config.ts";
import { postgresSettings } from "../../services/consumer/src/handlers/postgres/settings.ts";
import { webhookSettings } from "../../services/consumer/src/handlers/webhook/settings.ts";
import { callerSettings } from "../../services/producer/src/callers/settings.ts";
import { httpSettings } from "../../services/producer/src/config.ts";
import { deliverySettings } from "../../services/producer/src/delivery/index.ts";
import { adapterSettings } from "../../services/producer/src/formats/adapters/settings.ts";
import { cloudEventSettings } from "../../services/producer/src/formats/cloud-events/settings.ts";
import { edgeSettings } from "../../services/producer/src/http/edge-settings.ts";
import { routeSettings } from "../../services/producer/src/routes/settings.ts";
import { schemaSettings } from "../../services/producer/src/schemas/settings.ts";
import { tlsSettings } from "../../services/producer/src/tls/settings.ts";
import { root } from "../set-up.ts";

type Rows = Readonly<Record<string, TSchema>>;

export const settingsParts: readonly [title: string, rows: Rows][] = [
  ["Both services: log lines", logSettings],
  ["Both services: Kafka", clientSettings],
  ["Both services: the topic", topicSettings],
  ["Producer: HTTP", httpSettings],
  ["Producer: HTTPS", tlsSettings],
  ["Producer: proxies, browsers, request ids, access log", edgeSettings],
  ["Producer: CloudEvents", cloudEventSettings],
  ["Producer: adapters", adapterSettings],
  ["Producer: callers", callerSettings],
  ["Producer: routes", routeSettings],
  ["Producer: schemas", schemaSettings],
  ["Producer: durability and journal", deliverySettings],
  ["Producer: Kafka", { ...topicOwnerSettings, ...without(producerSettings, clientSettings) }],
  ["Consumer", consumerOwnSettings],
  ["Consumer: the postgres handler", postgresSettings],
  ["Consumer: the webhook handler", webhookSettings],
  ["Consumer: Kafka", without(consumerSettings, clientSettings)],
];

/** docs/settings.md, whole. */
export function settingsPage(): string {
  return [
    "<!-- Written by `bun run generate` from the schemas; change those. -->",
    "# Settings",
    "",
    "Environment variables. An empty one counts as not set; an invalid one keeps the service from starting, and every " +
      "invalid one is named at once. A name with `KAFKA_` is librdkafka's in capitals: any other librdkafka property can be set " +
      "the same way (`KAFKA_SOCKET_NAGLE_DISABLE` is `socket.nagle.disable`), and an unknown one is refused. A " +
      "variable whose name is close to a setting's (`WORKER`) keeps the service from starting too: the setting would keep its default.",
    "",
    "A secret, and a URL, which may hold one, can be the contents of a file: `KAFKA_SASL_PASSWORD_FILE=/run/secrets/kafka` takes " +
      "what is in that file, without the line break at its end, as `KAFKA_SASL_PASSWORD`. The file is text of at most 64 KiB, and " +
      "not empty. Only one of the two can be set. This holds for librdkafka's secrets without a row here too. Secrets are in no " +
      "message and in no log line.",
    ...settingsParts.flatMap(([title, rows]) => ["", `## ${title}`, "", ...settingsTable(rows)]),
    "",
  ].join("\n");
}

/** .env.example, whole: every setting, commented out, at its default. */
export function environmentExample(): string {
  return [
    "# Written by `bun run generate` from the schemas; change those.",
    "# Copy it to .env and uncomment what you change. `docker compose` and `bun run` read that file.",
    "# docs/settings.md says what each setting takes.",
    ...settingsParts.flatMap(([title, rows]) => [
      "",
      `# --- ${title} ---`,
      ...Object.entries(rows).flatMap(([name, row]) => [
        "",
        ...wrapped(row.description ?? "", 110).map((line) => `# ${line}`),
        `#${name}=${row.default ?? ""}`,
      ]),
    ]),
    "",
    "# --- compose.yaml ---",
    "",
    ...composeVariables().map(([name, value]) => `#${name}=${value}`),
    "",
  ].join("\n");
}

/** What compose.yaml takes from the environment beside the services' settings, with its defaults. */
function composeVariables(): [name: string, value: string][] {
  const compose = readFileSync(join(root, "compose.yaml"), "utf8");
  const settings = new Set(settingsParts.flatMap(([, rows]) => Object.keys(rows)));
  // The default of one may be another: ${PRODUCER_HOST_PORT:-${PORT:-3000}}.
  const found = compose.matchAll(/\$\{(\w+):-(?:\$\{\w+:-)?([^${}]*)\}/g);
  return [...new Map([...found].map(([, name, value]) => [name!, value!]))].filter(
    ([name]) => !settings.has(name),
  );
}

/** Words in lines of at most `width` characters, where no word is longer. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function without(rows: Rows, others: object): Rows {
  return Object.fromEntries(Object.entries(rows).filter(([name]) => !(name in others)));
}
