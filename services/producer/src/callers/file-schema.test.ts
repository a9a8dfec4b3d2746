// The published schema of CALLERS_FILE, as an editor uses it.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { createTestApp } from "../testing/test-app.ts";

async function served(): Promise<object> {
  const response = await createTestApp().app.handle(new Request("http://localhost/callers.schema.json"));
  expect({ status: response.status, type: response.headers.get("content-type") }).toEqual({
    status: 200,
    type: "application/schema+json",
  });
  return (await response.json()) as object;
}

test("/callers.schema.json is a JSON Schema of draft 2020-12 that has the examples of docs/callers.md, and not a misspelled member", async () => {
  const ajv = new Ajv2020({ strictSchema: true, strictTypes: false, allErrors: true });
  addFormats.default(ajv);
  const isValid = ajv.compile(await served());
  const page = readFileSync(join(import.meta.dir, "../../../../docs/callers.md"), "utf8");
  const blocks = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(
    ([, text]) => JSON.parse(text!.replaceAll("…", "0".repeat(64))) as object,
  );
  const files = blocks.filter((block) => "callers" in block);
  const callers = blocks.filter((block) => "keys" in block);
  expect([files.length > 0, callers.length > 0]).toEqual([true, true]);
  for (const file of [...files, { callers }]) {
    isValid(file);
    expect(isValid.errors).toBeNull();
  }
  expect(isValid({ callers: [{ id: "a", keys: [{ sha256: "0".repeat(64), expires: 1 }] }] })).toBe(false);
  expect(
    isValid({ callers: [{ id: "a", keys: [{ sha256: "0".repeat(64), expires_at: "tomorrow" }] }] }),
  ).toBe(false);
});
