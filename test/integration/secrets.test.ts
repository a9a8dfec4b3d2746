// No secret is in any output: each is set to a marker, the services start, and the marker must be nowhere.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isSecretSetting } from "@ingest/service";
import {
  canCreateCertificates,
  createCertificate,
  type TemporaryFolder,
  temporaryFolder,
} from "@ingest/testkit";
import { ServiceProcess } from "@ingest/testkit/service";
import { librdkafkaProperties, toEnvName } from "../../packages/kafka/src/librdkafka-properties.ts";
import { settingsParts } from "../../scripts/generate/settings.ts";

const MARKER = "hunter2marker";
const programs = [
  // librdkafka has logged its configuration.
  ["services/producer/src/main.ts", "[redacted]"],
  ["services/consumer/src/main.ts", "health server listening"],
] as const;

/** Every secret setting of both services, and every secret that librdkafka takes. */
const secrets = [
  ...new Set([
    ...settingsParts.flatMap(([, rows]) => Object.keys(rows)),
    ...Object.entries(librdkafkaProperties).flatMap(([name, { type }]) =>
      type === "text" ? [toEnvName(name)] : [],
    ),
  ]),
].filter(isSecretSetting);

let folder: TemporaryFolder;
beforeAll(() => {
  folder = temporaryFolder("secrets");
});
afterAll(() => folder[Symbol.dispose]());

/** The settings as they are, or each in a file. */
function inFiles(settings: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => {
      const path = join(folder.path, name);
      writeFileSync(path, `${value}\n`);
      return [`${name}_FILE`, path];
    }),
  );
}

/** Runs a service until `until`, and then to its end. @returns everything it has written */
async function outputOf(
  program: string,
  env: Record<string, string>,
  until?: (service: ServiceProcess) => Promise<unknown>,
): Promise<string> {
  const own = { PORT: "0", HEALTH_PORT: "0", LOG_FORMAT: "json", SHUTDOWN_DELAY_MS: "0" };
  const paths = { JOURNAL_DIR: join(folder.path, "journal"), SHUTDOWN_TIMEOUT_MS: "1000" };
  await using service = new ServiceProcess({ program, env: { ...own, ...paths, ...env } });
  if (until !== undefined) {
    await until(service);
    service.kill();
  }
  await service.exited;
  const output = JSON.stringify(service.lines) + service.textLines.join("\n") + service.stderr;
  expect(output).not.toBe("[]");
  return output;
}

describe.each(programs)("%s", (program, started) => {
  describe.each([
    ["in the environment", (settings: Record<string, string>) => settings],
    ["in files", inFiles],
  ] as const)("with secrets %s", (_, given) => {
    test.each(secrets)("%s is in no error at the start", async (name) => {
      const output = await outputOf(program, { LOG_LEVEL: "x", ...given({ [name]: MARKER }) });
      expect(output).toContain("LOG_LEVEL");
      expect(output).not.toContain(MARKER);
    });

    test.skipIf(!canCreateCertificates).each([
      ["a password and a client certificate", passwordSettings],
      ["a bearer token", tokenSettings],
    ] as const)("the secrets of %s are in no debug log", async (_, toSettings) => {
      const { secret, open } = toSettings();
      expect(Object.keys(secret).filter((name) => !isSecretSetting(name))).toEqual([]);
      const debug = { LOG_LEVEL: "trace", KAFKA_DEBUG: "all", KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" };
      const output = await outputOf(program, { ...debug, ...open, ...given(secret) }, (service) =>
        service.until(`"${started}"`, () => JSON.stringify(service.lines).includes(started)),
      );
      expect(output).not.toContain(MARKER);
    });
  });
});

interface Scenario {
  secret: Record<string, string>;
  open: Record<string, string>;
}

function passwordSettings(): Scenario {
  const { certPath, key } = createCertificate({ folder: folder.path, name: "client", passphrase: MARKER });
  return {
    secret: {
      KAFKA_SASL_PASSWORD: MARKER,
      // Text before a PEM block is a comment.
      KAFKA_SSL_KEY_PEM: `${MARKER}\n${key}`,
      KAFKA_SSL_KEY_PASSWORD: MARKER,
      KAFKA_SSL_KEYSTORE_PASSWORD: MARKER,
      SCHEMA_REGISTRY_PASSWORD: MARKER,
    },
    open: {
      KAFKA_SECURITY_PROTOCOL: "sasl_ssl",
      KAFKA_SASL_MECHANISM: "PLAIN",
      KAFKA_SASL_USERNAME: "ingest",
      KAFKA_SSL_CERTIFICATE_LOCATION: certPath,
      SCHEMA_REGISTRY_USER: "ingest",
      SCHEMA_REGISTRY_URL: "http://127.0.0.1:1",
    },
  };
}

function tokenSettings(): Scenario {
  return {
    // The other secrets of OAUTHBEARER need libcurl, which not every build of librdkafka has.
    secret: { KAFKA_SASL_OAUTHBEARER_CONFIG: `principal=${MARKER}` },
    open: {
      KAFKA_SECURITY_PROTOCOL: "sasl_plaintext",
      KAFKA_SASL_MECHANISM: "OAUTHBEARER",
      KAFKA_ENABLE_SASL_OAUTHBEARER_UNSECURE_JWT: "true",
    },
  };
}
