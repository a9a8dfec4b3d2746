import { expect, test } from "bun:test";
import { isSecretSetting, SettingsError } from "@ingest/service";
import { toClientConfig } from "./client-config.ts";
import { librdkafkaProperties, toEnvName } from "./librdkafka-properties.ts";
import { allKafkaSettings } from "./settings.ts";
import { producerSettings } from "./settings-producer.ts";

/** Every secret that librdkafka takes as text. The test fails until a secret that a new version adds is listed here. */
const SECRETS = [
  "KAFKA_SASL_OAUTHBEARER_ASSERTION_PRIVATE_KEY_PASSPHRASE",
  "KAFKA_SASL_OAUTHBEARER_ASSERTION_PRIVATE_KEY_PEM",
  "KAFKA_SASL_OAUTHBEARER_CLIENT_CREDENTIALS_CLIENT_SECRET",
  "KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET",
  "KAFKA_SASL_OAUTHBEARER_CONFIG",
  "KAFKA_SASL_PASSWORD",
  "KAFKA_SSL_KEY_PASSWORD",
  "KAFKA_SSL_KEY_PEM",
  "KAFKA_SSL_KEYSTORE_PASSWORD",
];

test("the rule covers exactly librdkafka's secrets", () => {
  const texts = Object.entries(librdkafkaProperties).filter(([, { type }]) => type === "text");
  const names = new Set([...texts.map(([name]) => toEnvName(name)), ...Object.keys(allKafkaSettings)]);
  expect([...names].filter(isSecretSetting).sort()).toEqual(SECRETS.toSorted());
});

const defaults = Object.fromEntries(
  Object.entries(producerSettings).flatMap(([name, row]) => ("default" in row ? [[name, row.default]] : [])),
) as unknown as Parameters<typeof toClientConfig>[0];

function errorOf(settings: Record<string, string>, env: Record<string, string>): SettingsError {
  try {
    toClientConfig({ ...defaults, ...settings }, "producer", env);
  } catch (thrown) {
    if (thrown instanceof SettingsError) return thrown;
    throw thrown;
  }
  throw new Error("no problem was found");
}

test.each(["KAFKA_SASL_PASSWORD", "KAFKA_SSL_KEY_PEM", "KAFKA_SSL_KEY_PASSWORD"])(
  "%s without its security protocol is named, and its value isn't",
  (name) => {
    const { message, problems } = errorOf({ [name]: "hunter2" }, {});
    expect(message).toContain(name);
    expect(message + JSON.stringify(problems)).not.toContain("hunter2");
  },
);

test("an alias of a secret is named, and its value isn't", () => {
  const name = "KAFKA_SASL_OAUTHBEARER_CLIENT_CREDENTIALS_CLIENT_SECRET";
  const { message } = errorOf({}, { [name]: "hunter2" });
  expect(message).toContain(name);
  expect(message).not.toContain("hunter2");
});

test("a mistyped name is reported without its value, which may be a secret", () => {
  const { message, problems } = errorOf({}, { KAFKA_SASL_PASWORD: "hunter2" });
  expect(message).toContain("KAFKA_SASL_PASWORD: ");
  expect(message).toContain("did you mean KAFKA_SASL_PASSWORD?");
  expect(message + JSON.stringify(problems)).not.toContain("hunter2");
});
