import { describe, expect, test } from "bun:test";
import { UsageError } from "@ingest/cli-flags";
import { type Options, parseOptions } from "./options.ts";

const parse = (argv: string[], env: Record<string, string> = {}) => parseOptions(argv, env) as Options;

describe("parseOptions", () => {
  test("without flags: 100,000 single events at the compose port, no verification", () => {
    const options = parse([]);
    expect(options).toMatchObject({
      requests: 100_000,
      concurrency: 64,
      batch: undefined,
      durability: undefined,
      client: "socket",
      verify: undefined,
    });
    expect(options.url.href).toBe("http://localhost:3000/");
    expect(Object.isFrozen(options)).toBe(true);
  });

  test("a duration without a number of requests runs for that time", () => {
    expect(parse(["--duration", "5s"])).toMatchObject({ requests: Infinity, durationMs: 5000 });
    expect(parse(["--duration", "5s", "--requests", "7"])).toMatchObject({ requests: 7, durationMs: 5000 });
  });

  test.each([
    ["http://host:1", "http://host:1/"],
    ["http://host:1/register_event", "http://host:1/"],
    ["http://host:1/in/register_events/", "http://host:1/in/"],
    ["http://host:1/in?durability=stored", "http://host:1/in?durability=stored"],
  ])("%s is the service at %s", (given, base) => {
    expect(parse(["--url", given]).url.href).toBe(base);
  });

  test("--verify takes topic and brokers from flags, then from the environment, then the defaults", () => {
    expect(parse(["--verify"]).verify).toEqual({ topic: "events", env: {}, idleMs: 15_000 });
    const env = { KAFKA_TOPIC: "t", KAFKA_BOOTSTRAP_SERVERS: "k:9", KAFKA_SASL_USERNAME: "u", PATH: "/bin" };
    expect(parse(["--verify"], env).verify?.env).toEqual({
      KAFKA_TOPIC: "t",
      KAFKA_BOOTSTRAP_SERVERS: "k:9",
      KAFKA_SASL_USERNAME: "u",
    });
    const flagged = parse(["--verify", "--topic", "x", "--bootstrap-servers", "y:1"], env).verify;
    expect(flagged).toMatchObject({ topic: "x", env: { KAFKA_BOOTSTRAP_SERVERS: "y:1" } });
  });

  test("NDJSON needs a batch", () => {
    expect(() => parse(["--format", "ndjson"])).toThrow("--batch");
    expect(parse(["--format", "ndjson", "--batch", "10"])).toMatchObject({ format: "ndjson", batch: 10 });
  });

  test("fetch has no more concurrent requests than Bun allows", () => {
    expect(() => parse(["--client", "fetch", "--concurrency", "300"])).toThrow(UsageError);
    expect(() => parse(["--client", "fetch", "--concurrency", "300"])).toThrow(
      "BUN_CONFIG_MAX_HTTP_REQUESTS=300",
    );
    const env = { BUN_CONFIG_MAX_HTTP_REQUESTS: "300" };
    expect(parse(["--client", "fetch", "--concurrency", "300"], env).concurrency).toBe(300);
  });

  test("--help wins over every other argument", () => {
    expect(parseOptions(["--nonsense", "--help"], {})).toBe("help");
  });
});
