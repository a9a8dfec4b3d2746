import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TemporaryFolder, temporaryFolder } from "@ingest/testkit";
import { Type } from "@sinclair/typebox";
import { parseSettings, SettingsError } from "./settings.ts";

const properties = {
  API_KEY: Type.String({ description: "", minLength: 3 }),
  STORE_URL: Type.Optional(Type.String({ description: "", pattern: "^https?://" })),
  PORT: Type.Integer({ description: "", default: 1 }),
};

let folder: TemporaryFolder;
beforeAll(() => {
  folder = temporaryFolder("secrets");
});
afterAll(() => folder[Symbol.dispose]());

function file(name: string, contents: string | Uint8Array): string {
  const path = join(folder.path, name);
  writeFileSync(path, contents);
  return path;
}

function errorOf(env: Record<string, string>): SettingsError {
  try {
    parseSettings(properties, env, [], () => true);
  } catch (thrown) {
    if (thrown instanceof SettingsError) return thrown;
    throw thrown;
  }
  throw new Error("no problem was found");
}

test.each([
  ["hunter2", "hunter2"],
  ["hunter2\n", "hunter2"],
  ["hunter2\r\n", "hunter2"],
  [" a\nb \n\n", " a\nb \n"],
])("a file of %j is the value %j", (contents, value) => {
  expect(parseSettings(properties, { API_KEY_FILE: file("key", contents) }).API_KEY).toBe(value);
});

test("a URL, which may hold a password, can be in a file too", () => {
  const STORE_URL_FILE = file("url", "https://a:b@store\n");
  expect(parseSettings(properties, { API_KEY: "key", STORE_URL_FILE }).STORE_URL).toBe("https://a:b@store");
});

test("an empty NAME_FILE is not set, and that of a setting which is no secret is another program's", () => {
  const settings = parseSettings(properties, { API_KEY: "key", API_KEY_FILE: "", PORT_FILE: "/none" });
  expect(settings).toEqual({ API_KEY: "key", PORT: 1 });
});

describe("problems", () => {
  test.each([
    ["a missing file", () => join(folder.path, "none"), "must be the path of a readable file (ENOENT)"],
    ["an empty file", () => file("empty", "\n"), "is the path of an empty file"],
    ["a large file", () => file("large", "x".repeat(65_537)), "must be the path of a file of at most 65536"],
    ["bytes that are no text", () => file("bytes", new Uint8Array([0xff, 0xfe])), "of UTF-8 text"],
    ["a folder", () => folder.path, "must be the path of a regular file"],
  ])("%s is named", (_, path, message) => {
    const { problems } = errorOf({ API_KEY_FILE: path() });
    expect(problems).toEqual([
      { name: "API_KEY_FILE", value: path(), message: expect.stringContaining(message) },
    ]);
  });

  test("both of NAME and NAME_FILE", () => {
    const { message } = errorOf({ API_KEY: "hunter2", API_KEY_FILE: file("key", "hunter3") });
    expect(message).toContain("API_KEY_FILE");
    expect(message).toContain("must not be set together with API_KEY");
    expect(message).not.toMatch(/hunter[23]/);
  });

  test("the secret in place of a path is not shown", () => {
    expect(errorOf({ API_KEY_FILE: "hunter2" }).message).not.toContain("hunter2");
  });

  test("invalid contents are not shown, and neither is a malformed URL", () => {
    expect(errorOf({ API_KEY_FILE: file("short", "h2") }).message).toContain('API_KEY="…"');
    const { message } = errorOf({ API_KEY: "key", STORE_URL_FILE: file("url", "https//a:hunter2@store") });
    expect(message).toContain('STORE_URL="…"');
  });

  test("a misspelled NAME_FILE", () => {
    const { message } = errorOf({ API_KEY: "key", STORE_UR_FILE: "/x" });
    expect(message).toContain("STORE_UR_FILE: is not a setting: did you mean STORE_URL_FILE?");
  });
});
