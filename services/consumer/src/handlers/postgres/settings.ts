// Settings of the postgres handler.
import type { SettingProblem } from "@ingest/service";
import { type Static, type TObject, Type } from "@sinclair/typebox";
import type { PostgresOptions } from "./postgres.ts";

export const postgresSettings = {
  POSTGRES_URL: Type.Optional(
    Type.String({
      pattern: "^postgres(ql)?://",
      examples: ["postgres://user:password@db:5432/events"],
      description:
        "Database to which CONSUMER_HANDLER=postgres writes events. Messages show it without user name and password.",
    }),
  ),
  POSTGRES_TABLE: Type.String({
    default: "events",
    pattern: "^[a-z_][a-z0-9_]{0,62}(\\.[a-z_][a-z0-9_]{0,62})?$",
    description:
      "Table of the events, with or without a schema before it. Positions are in the table of this name + _positions.",
  }),
  POSTGRES_CREATE_TABLE: Type.Boolean({
    default: true,
    description:
      "Create the tables if they are missing. `false`: they are given, with the columns in docs/consumer.md.",
  }),
  POSTGRES_TIMEOUT_MS: Type.Integer({
    default: 30_000,
    minimum: 100,
    maximum: 600_000,
    description: "Time limit for writing one batch; then it is written again on a new connection.",
  }),
};

type PostgresSettings = Readonly<Static<TObject<typeof postgresSettings>>>;

/** What is wrong with the settings when postgres is the handler. */
export function postgresProblems({ POSTGRES_URL: value }: PostgresSettings): SettingProblem[] {
  if (value === undefined)
    return [{ name: "POSTGRES_URL", value, message: "is required with CONSUMER_HANDLER=postgres" }];
  return URL.canParse(value) ? [] : [{ name: "POSTGRES_URL", value, message: "must be a URL" }];
}

/** @param settings without `postgresProblems` */
export function toPostgresOptions(settings: PostgresSettings, groupId: string): PostgresOptions {
  return {
    url: settings.POSTGRES_URL!,
    groupId,
    table: settings.POSTGRES_TABLE,
    createTable: settings.POSTGRES_CREATE_TABLE,
    timeoutMs: settings.POSTGRES_TIMEOUT_MS,
  };
}
