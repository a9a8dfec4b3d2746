import { describe, expect, test } from "bun:test";
import { version } from "@ingest/service";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import packageJson from "../../../../package.json";
import { createTestApp, type TestAppOptions } from "../testing/test-app.ts";

const caller = { id: "shop", keys: [{ sha256: "0".repeat(64) }] };

/** The parts that are looked at. */
interface OpenapiDocument {
  info: { version: string };
  security: object[];
  components: { securitySchemes?: object };
  paths: Record<
    string,
    {
      get?: { security?: object[] };
      post?: { parameters: { name: string; in: string; required?: boolean }[] };
    }
  >;
}

async function documentOf(options: TestAppOptions = {}): Promise<OpenapiDocument> {
  const { app } = createTestApp(options);
  const response = await app.handle(new Request("http://localhost/openapi/json"));
  return (await response.json()) as OpenapiDocument;
}

describe("the document", () => {
  test.each<[string, TestAppOptions]>([
    ["without callers", {}],
    ["with callers", { callers: { callers: [caller] } }],
    ["with adapters", { adapters: ["segment", "posthog", "form", "pixel"] }],
  ])("%s passes Redocly's recommended rules", async (_, options) => {
    const config = await createConfig({ extends: ["recommended"] });
    const source = JSON.stringify(await documentOf(options));
    const problems = await lintFromString({ source, config });
    expect(problems.map(({ ruleId, message }) => `${ruleId}: ${message}`)).toEqual([]);
  });

  test.each(["/register_event", "/register_events"])(
    "names the headers of CloudEvents for %s",
    async (path) => {
      const parameters = (await documentOf()).paths[path]!.post!.parameters;
      const names = ["specversion", "id", "source", "type", "time", "subject", "dataschema"];
      for (const name of names)
        expect(parameters).toContainEqual(expect.objectContaining({ name: `ce-${name}`, in: "header" }));
      expect(parameters.filter(({ required }) => required)).toEqual([]);
    },
  );

  test("lists the paths of adapters only where they are on", async () => {
    const paths = ["/v1/batch", "/v1/track", "/batch"];
    const off = await documentOf();
    expect(paths.filter((path) => path in off.paths)).toEqual([]);
    const on = await documentOf({ adapters: ["segment", "posthog"] });
    expect(Object.keys(on.paths)).toEqual(expect.arrayContaining(paths));
  });

  test("has the version of package.json", async () => {
    expect(version).toBe(packageJson.version);
    expect((await documentOf()).info.version).toBe(packageJson.version);
  });

  test("names the ways to send a key only where callers have keys", async () => {
    const open = await documentOf();
    expect(open.components.securitySchemes).toBeUndefined();
    const { components, security, paths } = await documentOf({ callers: { callers: [caller] } });
    expect(Object.keys(components.securitySchemes ?? {}).sort()).toEqual(["apiKey", "bearer"]);
    expect(security).toContainEqual({ bearer: [] });
    expect(paths["/health/ready"]?.get?.security).toEqual([]);
  });
});
