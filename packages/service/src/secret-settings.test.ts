import { expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { isSecretSetting, parseSettings, SettingsError, settingsTable } from "./index.ts";

test("a setting is secret by the words of its name", () => {
  const secrets = ["PASSWORD", "API_KEY", "API_KEYS", "kafka_sasl_password", "METRICS_TOKEN", "TLS_KEY_PEM"];
  const others = [
    "TLS_KEY_FILE",
    "PASSWORD_FILE",
    "TOKEN_URL",
    "MAX_KEY_BYTES",
    "KEYBOARD",
    "MONKEY",
    "PORT",
  ];
  expect(secrets.filter((name) => !isSecretSetting(name))).toEqual([]);
  expect(others.filter(isSecretSetting)).toEqual([]);
});

test("no secret is in an error, whoever found the problem", () => {
  const properties = { API_KEY: Type.String({ description: "" }), PORT: Type.Integer({ description: "" }) };
  const rule = () => [{ name: "API_KEY", value: "hunter2", message: "must be longer" }];
  let error: unknown;
  try {
    parseSettings(properties, { API_KEY: "hunter2", PORT: "80" }, [rule]);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(SettingsError);
  const { message, problems } = error as SettingsError;
  expect(message).toBe('1 invalid setting:\n  API_KEY="…": must be longer');
  expect(JSON.stringify(problems)).not.toContain("hunter2");
});

test("the documentation names them as secret", () => {
  const [, , row] = settingsTable({ API_KEY: Type.String({ description: "Who calls." }) });
  expect(row).toBe("| `API_KEY` | secret text, or `API_KEY_FILE` |  | Who calls. |");
});
