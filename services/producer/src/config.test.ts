import { describe, expect, test } from "bun:test";
import { type SettingProblem, SettingsError } from "@ingest/service";
import { readConfig } from "./config.ts";

function problemsOf(env: Record<string, string>): readonly SettingProblem[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
}

test("the documented defaults are valid", () => {
  expect(readConfig({}).settings).toMatchObject({
    PORT: 3000,
    HOST: "0.0.0.0",
    WORKERS: 1,
    DEFAULT_DURABILITY: "accepted",
    KAFKA_BOOTSTRAP_SERVERS: "localhost:9092",
    KAFKA_TOPIC: "events",
    LOG_LEVEL: "info",
  });
});

test("idle connections are kept for 75 s, and for up to an hour: load balancers of clouds keep theirs for 600 s", () => {
  expect(readConfig({}).settings.IDLE_TIMEOUT_SECONDS).toBe(75);
  expect(readConfig({ IDLE_TIMEOUT_SECONDS: "3600" }).settings.IDLE_TIMEOUT_SECONDS).toBe(3_600);
  expect(problemsOf({ IDLE_TIMEOUT_SECONDS: "3601" }).map(({ name }) => name)).toEqual([
    "IDLE_TIMEOUT_SECONDS",
  ]);
});

test("librdkafka's configuration follows from the settings", () => {
  expect(readConfig({ KAFKA_LINGER_MS: "7", KAFKA_SOCKET_NAGLE_DISABLE: "true" }).kafka).toMatchObject({
    "linger.ms": 7,
    "socket.nagle.disable": "true",
  });
});

describe("contradictions", () => {
  test.each([
    [{ MAX_EVENT_BYTES: "998000" }, "MAX_EVENT_BYTES"],
    [{ MAX_EVENT_BYTES: "500000", KAFKA_MESSAGE_MAX_BYTES: "400000" }, "MAX_EVENT_BYTES"],
    [{ MAX_BODY_BYTES: "500000" }, "MAX_BODY_BYTES"],
    [{ MAX_IN_FLIGHT_BYTES: "1000000" }, "MAX_IN_FLIGHT_BYTES"],
    [{ DEFAULT_DURABILITY: "durable", JOURNAL_ENABLED: "false" }, "DEFAULT_DURABILITY"],
    [{ PROXY_PROTOCOL: "on" }, "PROXY_PROTOCOL"],
    [{ HTTP_SERVER: "bun", PROXY_PROTOCOL: "true", TRUSTED_PROXIES: "loopback" }, "HTTP_SERVER"],
    [{ TRUSTED_PROXIES: "10.0.0.0/40" }, "TRUSTED_PROXIES"],
    [{ CORS_ALLOWED_ORIGINS: "https://a.test, https://b.test/" }, "CORS_ALLOWED_ORIGINS"],
    [{ CALLER_HEADER: "caller" }, "CALLER_HEADER"],
    [{ CALLER_HEADER: "ce_caller", CALLERS_FILE: "callers.json" }, "CALLER_HEADER"],
    [{ CALLER_HEADER: "Content-Type", CALLERS_FILE: "callers.json" }, "CALLER_HEADER"],
    [{ ADMIN_PORT: "3000" }, "ADMIN_PORT"],
    [{ ADMIN_PORT: "0", WORKERS: "2" }, "ADMIN_PORT"],
    [{ KAFKA_ACKS: "1", KAFKA_ENABLE_IDEMPOTENCE: "false" }, "KAFKA_ACKS"],
  ] as const)("%j is rejected", (env, name) => {
    expect(problemsOf(env).map((problem) => problem.name)).toContain(name);
  });

  test("an invalid origin is named with the rule", () => {
    expect(problemsOf({ CORS_ALLOWED_ORIGINS: "https://a.test,b.test" })).toEqual([
      {
        name: "CORS_ALLOWED_ORIGINS",
        value: "b.test",
        message: expect.stringContaining("https://*.example.com for subdomains"),
      },
    ]);
  });

  test("all problems are reported at once", () => {
    const names = problemsOf({ MAX_EVENT_BYTES: "998000", KAFKA_LINGER: "1" }).map((problem) => problem.name);
    expect(names).toEqual(expect.arrayContaining(["MAX_EVENT_BYTES", "KAFKA_LINGER"]));
  });
});

test.each([
  "http://localhost:9092",
  "localhost:9o92",
  "localhost:9092,",
  "localhost:0",
  "localhost:65536",
  "a b:1",
])("%p is no list of brokers", (KAFKA_BOOTSTRAP_SERVERS) => {
  expect(() => readConfig({ KAFKA_BOOTSTRAP_SERVERS })).toThrow("host:port of one or more brokers");
});

test.each(["localhost", "kafka-1.example.org:9092, kafka-2:9093", "[::1]:9092", "10.0.0.7:65535"])(
  "%p is a list of brokers",
  (KAFKA_BOOTSTRAP_SERVERS) => {
    expect(readConfig({ KAFKA_BOOTSTRAP_SERVERS }).kafka["bootstrap.servers"]).toBe(KAFKA_BOOTSTRAP_SERVERS);
  },
);

test.each([
  ["DEFAULT_DURABILTY", "DEFAULT_DURABILITY"],
  ["WORKER", "WORKERS"],
  ["JOURNALDIR", "JOURNAL_DIR"],
])("%s is reported as a misspelled %s", (name, meant) => {
  expect(() => readConfig({ [name]: "2" })).toThrow(`did you mean ${meant}?`);
});
