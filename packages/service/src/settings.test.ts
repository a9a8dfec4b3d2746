import { describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { parseSettings, SettingsError } from "./settings.ts";

const properties = {
  PORT: Type.Integer({ default: 3000, minimum: 0, maximum: 65535 }),
  HOST: Type.String({ default: "0.0.0.0" }),
  NAME: Type.String({ minLength: 1 }),
  VERBOSE: Type.Boolean({ default: false }),
  WORKERS: Type.Union([Type.Literal("auto"), Type.Integer({ minimum: 1, maximum: 64 })], { default: 1 }),
  NOTE: Type.Optional(Type.String()),
  SASL_PASSWORD: Type.Optional(Type.String({ minLength: 8 })),
};

function problemsOf(env: Record<string, string>) {
  try {
    parseSettings(properties, env);
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
}

describe("parseSettings", () => {
  test("a missing or empty variable gets the default", () => {
    expect(parseSettings(properties, { NAME: "n", HOST: "" })).toEqual({
      PORT: 3000,
      HOST: "0.0.0.0",
      NAME: "n",
      VERBOSE: false,
      WORKERS: 1,
    });
  });

  test("text is converted to the schema's type", () => {
    expect(parseSettings(properties, { NAME: "n", PORT: "0", VERBOSE: "on", WORKERS: "auto" })).toMatchObject(
      {
        PORT: 0,
        VERBOSE: true,
        WORKERS: "auto",
      },
    );
    expect(parseSettings(properties, { NAME: "n", WORKERS: "4" }).WORKERS).toBe(4);
  });

  test("the result is frozen", () => {
    expect(Object.isFrozen(parseSettings(properties, { NAME: "n" }))).toBe(true);
  });

  test("every problem is reported at once, with the given value and the expected one", () => {
    const problems = problemsOf({ PORT: "70000", VERBOSE: "maybe", WORKERS: "0" });
    expect(problems.map((p) => p.name)).toEqual(["PORT", "NAME", "VERBOSE", "WORKERS"]);
    expect(problems[0]).toEqual({
      name: "PORT",
      value: "70000",
      message: "must be an integer from 0 to 65535",
    });
    expect(new SettingsError(problems).message).toContain(
      'WORKERS="0": must be "auto" or an integer from 1 to 64',
    );
  });

  test.each(["12abc", "1e3", "0x10", " ", "--1"])("%p is not an integer", (PORT) => {
    expect(problemsOf({ NAME: "n", PORT })).toHaveLength(1);
  });

  test("a secret is not repeated", () => {
    expect(new SettingsError(problemsOf({ NAME: "n", SASL_PASSWORD: "hunter2" })).message).not.toContain(
      "hunter2",
    );
  });

  test("rules run once each setting is valid by itself", () => {
    const rule = (s: { PORT: number }) => (s.PORT === 1 ? [{ name: "PORT", value: "1", message: "no" }] : []);
    expect(() => parseSettings(properties, { NAME: "n", PORT: "1" }, [rule])).toThrow('PORT="1": no');
    expect(parseSettings(properties, { NAME: "n", PORT: "2" }, [rule]).PORT).toBe(2);
  });

  test.each([
    ["WORKER", "WORKERS"],
    ["VERBOS", "VERBOSE"],
    ["SASLPASSWORD", "SASL_PASSWORD"],
    ["SASL_PASWORT", "SASL_PASSWORD"],
  ])("%s is reported as a misspelled %s, without its value", (name, meant) => {
    const parse = () => parseSettings(properties, { NAME: "n", [name]: "hunter2" }, [], () => true);
    expect(parse).toThrow(`${name}: is not a setting: did you mean ${meant}?`);
    expect(parse).not.toThrow("hunter2");
  });

  test.each([
    ["HOME", "of another program"],
    ["HOSTNAME", "of another program"],
    ["PORTS", "too short to tell"],
  ])("%s is a variable %s", (name) => {
    expect(parseSettings(properties, { NAME: "n", [name]: "x" }, [], () => true).NAME).toBe("n");
  });

  test("a variable beside the setting that its name resembles is of another program", () => {
    const env = { NAME: "n", WORKER: "7", WORKERS: "2" };
    expect(parseSettings(properties, env, [], () => true).WORKERS).toBe(2);
  });
});
