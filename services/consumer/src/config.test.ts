import { describe, expect, test } from "bun:test";
import { SettingsError } from "@ingest/service";
import { readSettings } from "./config.ts";

function problemsOf(env: Record<string, string>): string[] {
  try {
    readSettings(env);
    return [];
  } catch (error) {
    return (error as SettingsError).problems.map(({ name }) => name);
  }
}

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
    [{ CONSUMER_HANDLER: "webhook" }, "WEBHOOK_URL"],
    [{ CONSUMER_HANDLER: "nothing" }, "CONSUMER_HANDLER"],
    [{ CONSUMER_HANDLER: "webhook", WEBHOOK_URL: "ftp://x" }, "WEBHOOK_URL"],
    [{ KAFKA_HEARTBEAT_INTERVAL_MS: "20000" }, "KAFKA_HEARTBEAT_INTERVAL_MS"],
  ] as [Record<string, string>, string][])("%j is refused for %s", (env, name) => {
    expect(problemsOf(env)).toEqual([name]);
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
