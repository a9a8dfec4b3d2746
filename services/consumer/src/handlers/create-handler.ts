// Creates the handler that CONSUMER_HANDLER names. A new handler needs a folder here, its settings in config.ts and a case below.
import { isJsonLog } from "@ingest/service";
import type { Settings } from "../config.ts";
import type { EventHandler } from "../handler.ts";
import type { LineWriter } from "../output/line-writer.ts";
import { jsonLine, prettyLine } from "./logger/line.ts";
import { createLogger } from "./logger/logger.ts";
import { createPostgres } from "./postgres/postgres.ts";
import { toPostgresOptions } from "./postgres/settings.ts";
import { toWebhookOptions } from "./webhook/settings.ts";
import { createWebhook } from "./webhook/webhook.ts";

/** @param output where the logger writes. It is the service log's writer too, so that lines don't interleave */
export function createHandler(settings: Settings, output: LineWriter, name: string): EventHandler {
  switch (settings.CONSUMER_HANDLER) {
    case "logger":
      return createLogger(output, isJsonLog(settings) ? jsonLine(name) : prettyLine());
    case "postgres":
      return createPostgres(toPostgresOptions(settings, settings.KAFKA_GROUP_ID));
    case "webhook":
      return createWebhook(toWebhookOptions(settings));
  }
}
