// `bun run check-config`: what a service would start with, or not, without starting it.
import { describe, expect, test } from "bun:test";
import { ServiceProcess } from "@ingest/testkit/service";

async function check(args: string[], env: Record<string, string> = {}) {
  await using command = new ServiceProcess({ program: "scripts/check-config.ts", args, env });
  const exitCode = await command.exited;
  return { exitCode, output: command.textLines, errors: command.stderr };
}

describe.each([
  ["producer", "PORT"],
  ["consumer", "HEALTH_PORT"],
])("%s", (service, portName) => {
  test("valid settings are OK, on a port that is taken too: no socket is opened", async () => {
    using taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const env = { [portName]: String(taken.port), KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" };
    expect(await check([service], env)).toEqual({ exitCode: 0, output: ["OK"], errors: "" });
  });

  test("every problem is reported, and no secret", async () => {
    const env = {
      [portName]: "x",
      KAFKA_SASL_PASSWORD_FILE: "/none",
      KAFKA_SSL_KEY_PASSWORD: "hunter2",
      LOG_LEVL: "x",
    };
    const { exitCode, output, errors } = await check([service], env);
    expect([exitCode, output]).toEqual([2, []]);
    expect(errors).toContain("3 invalid settings");
    for (const name of [portName, "KAFKA_SASL_PASSWORD_FILE", "LOG_LEVL"]) expect(errors).toContain(name);
    expect(errors).not.toContain("hunter2");
  });

  test("--print-config prints every setting with its source, secrets masked", async () => {
    const env = {
      [portName]: "4000",
      KAFKA_SOCKET_NAGLE_DISABLE: "true",
      KAFKA_SECURITY_PROTOCOL: "sasl_ssl",
      KAFKA_SASL_MECHANISM: "PLAIN",
      KAFKA_SASL_USERNAME: "u",
      KAFKA_SASL_PASSWORD: "hunter2",
    };
    const { exitCode, output } = await check([service, "--print-config"], env);
    expect(exitCode).toBe(0);
    expect(output).toEqual(
      expect.arrayContaining([
        `${portName}=4000 # environment`,
        "KAFKA_TOPIC=events # default",
        "KAFKA_SASL_PASSWORD=… # environment",
        "KAFKA_SOCKET_NAGLE_DISABLE=true # environment",
        "#KAFKA_SSL_KEY_PEM= # not set",
      ]),
    );
    expect(output.join()).not.toContain("hunter2");
  });
});

test("the producer's files are checked too, all at once", async () => {
  const env = { CALLERS_FILE: "/none", TLS_CERT: "/none", TLS_KEY: "/none" };
  const { exitCode, errors } = await check(["producer"], env);
  expect(exitCode).toBe(2);
  for (const name of ["CALLERS_FILE", "TLS_CERT", "TLS_KEY"]) expect(errors).toContain(`${name}=`);
});

test("the consumer's client for dead letters is checked too", async () => {
  const { exitCode, errors } = await check(["consumer"], { KAFKA_LINGER_MS: "x" });
  expect([exitCode, errors]).toEqual([2, expect.stringContaining("KAFKA_LINGER_MS")]);
});

test("another service is a usage error", async () => {
  const { exitCode, errors } = await check(["bench"]);
  expect([exitCode, errors]).toEqual([2, expect.stringContaining('producer or consumer, got "bench"')]);
});
