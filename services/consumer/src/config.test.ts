import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { SettingsError } from "@ingest/service";
import { temporaryFolder } from "@ingest/testkit";
import { readSettings } from "./config.ts";

function problemsOf(env: Record<string, string>): string[] {
  try {
    readSettings(env);
    return [];
  } catch (error) {
    return (error as SettingsError).problems.map(({ name }) => name);
  }
}

const webhook = { CONSUMER_HANDLER: "webhook", WEBHOOK_URL: "https://example.com/" };

describe("settings", () => {
  test("all settings have defaults", () => {
    expect(readSettings({})).toMatchObject({
      KAFKA_BOOTSTRAP_SERVERS: "localhost:9092",
      KAFKA_TOPIC: "events",
      KAFKA_GROUP_ID: "event-consumers",
      HEALTH_PORT: 3001,
      CONSUMER_HANDLER: "logger",
      DEDUPLICATE: false,
    });
  });

  test.each([
    [{ RETRY_BACKOFF_MS: "2000", RETRY_BACKOFF_MAX_MS: "1000" }, "RETRY_BACKOFF_MS"],
    [{ REBALANCE_BUDGET_MS: "60000", KAFKA_MAX_POLL_INTERVAL_MS: "60000" }, "REBALANCE_BUDGET_MS"],
    [{ STALL_TIMEOUT_MS: "30000" }, "STALL_TIMEOUT_MS"],
    [{ DEAD_LETTER_TOPIC: "events" }, "DEAD_LETTER_TOPIC"],
    [{ DEAD_LETTER_TOPIC: "a b" }, "DEAD_LETTER_TOPIC"],
    [{ DEAD_LETTER_TOPIC: ".." }, "DEAD_LETTER_TOPIC"],
    [{ KAFKA_TOPIC: ".." }, "KAFKA_TOPIC"],
    [{ KAFKA_TOPIC: "x".repeat(238) }, "KAFKA_TOPIC"],
    [{ CONSUMER_HANDLER: "webhook" }, "WEBHOOK_URL"],
    [{ CONSUMER_HANDLER: "nothing" }, "CONSUMER_HANDLER"],
    [{ CONSUMER_HANDLER: "webhook", WEBHOOK_URL: "ftp://x" }, "WEBHOOK_URL"],
    [{ CONSUMER_HANDLER: "webhook", WEBHOOK_URL: "https://" }, "WEBHOOK_URL"],
    [{ CONSUMER_HANDLER: "postgres" }, "POSTGRES_URL"],
    [{ CONSUMER_HANDLER: "postgres", POSTGRES_URL: "postgres://h:port" }, "POSTGRES_URL"],
    [{ POSTGRES_TABLE: 'events"; drop table x' }, "POSTGRES_TABLE"],
    [{ ...webhook, WEBHOOK_TLS_CA_LOCATION: "/no/such/file" }, "WEBHOOK_TLS_CA_LOCATION"],
    [{ ...webhook, WEBHOOK_TLS_KEY_LOCATION: import.meta.path }, "WEBHOOK_TLS_CERTIFICATE_LOCATION"],
    [{ ...webhook, WEBHOOK_TLS_CERTIFICATE_LOCATION: import.meta.path }, "WEBHOOK_TLS_KEY_LOCATION"],
    [
      { ...webhook, WEBHOOK_URL: "http://x", WEBHOOK_TLS_CA_LOCATION: import.meta.path },
      "WEBHOOK_TLS_CA_LOCATION",
    ],
    [{ KAFKA_HEARTBEAT_INTERVAL_MS: "20000" }, "KAFKA_HEARTBEAT_INTERVAL_MS"],
  ] as [Record<string, string>, string][])("%j is refused for %s", (env, name) => {
    expect(problemsOf(env)).toEqual([name]);
  });

  test("a DEDUPLICATE_PATH that cannot hold a database is refused with the reason, if deduplication is on", () => {
    using folder = temporaryFolder("deduplicate-path");
    const file = join(folder.path, "text");
    writeFileSync(file, "not a database, but more than a header's length of text ".repeat(10));
    const messageFor = (path: string) => {
      try {
        readSettings({ DEDUPLICATE: "true", DEDUPLICATE_PATH: path });
        return undefined;
      } catch (error) {
        return (error as SettingsError).message;
      }
    };
    expect(messageFor(file)).toMatch(/DEDUPLICATE_PATH=.*must be a SQLite file.*not a database/);
    expect(messageFor(folder.path)).toMatch(/DEDUPLICATE_PATH=.*must be a SQLite file/);
    expect(messageFor(join(file, "seen.sqlite"))).toMatch(/DEDUPLICATE_PATH=.*must be in a folder.*/);
    expect(messageFor("/proc/self/seen.sqlite")).toMatch(/DEDUPLICATE_PATH=.*must be a SQLite file/);
    expect(messageFor(join(folder.path, "new", "seen.sqlite"))).toBeUndefined();
    expect(messageFor(":memory:")).toBeUndefined();
    expect(problemsOf({ DEDUPLICATE_PATH: file })).toEqual([]);
  });

  test("a DEDUPLICATE_PATH that another consumer writes to is not refused", () => {
    using folder = temporaryFolder("deduplicate-path");
    const path = join(folder.path, "seen.sqlite");
    const other = new Database(path);
    other.run("BEGIN IMMEDIATE");
    expect(problemsOf({ DEDUPLICATE: "true", DEDUPLICATE_PATH: path })).toEqual([]);
    other.close();
  });

  test("all problems are reported together", () => {
    expect(problemsOf({ HEALTH_PORT: "x", CONSUMER_CONCURRENCY: "0", LOG_LEVEL: "loud" })).toEqual([
      "LOG_LEVEL",
      "HEALTH_PORT",
      "CONSUMER_CONCURRENCY",
    ]);
    expect(() => readSettings({ HEALTH_PORT: "x" })).toThrow(SettingsError);
  });
});

test("a misspelled setting is reported", () => {
  expect(() => readSettings({ CONSUMER_CONCURENCY: "4" })).toThrow("did you mean CONSUMER_CONCURRENCY?");
});
