// The table of problems against what uses it: every code is raised, documented, and nothing else is.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { problemCodes, problems } from "@ingest/contract";
import { rejectionStatuses } from "@ingest/http-server";
import { toPage } from "../openapi/page.ts";
import { createTestApp } from "../testing/test-app.ts";

/** The folders whose code raises problems. */
const sources = [join(import.meta.dir, ".."), join(import.meta.dir, "../../../../packages/http-server/src")];
const document = await (async () => {
  const response = await createTestApp().app.handle(new Request("http://localhost/openapi/json"));
  return (await response.json()) as OpenApiDocument;
})();

interface OpenApiDocument {
  info: { description: string };
  paths: Record<string, Record<string, { responses?: Record<string, { content?: Content }> }>>;
  components: { schemas: { Problem: { properties: { code: { anyOf: { const: string }[] } } } } };
}
type Content = Record<string, { examples?: Record<string, { value: { code: string; status: number } }> }>;

/** The code of the service and its server, without types, comments and documentation. */
function statements(): string {
  const transpiler = new Bun.Transpiler({ loader: "ts" });
  return sources
    .flatMap((folder) => [...new Bun.Glob("**/*.ts").scanSync(folder)].map((file) => join(folder, file)))
    .filter((path) => !/\.test\.ts$|\/testing\/|\/openapi\/|\/problems\/|documentation\.ts$/.test(path))
    .map((path) => transpiler.transformSync(readFileSync(path, "utf8")))
    .join("\n");
}

test("every code is raised somewhere", () => {
  const code = statements();
  const isRaised = (name: string) => new RegExp(`(?<![=!]==? |case )"${name}"`).test(code);
  expect(problemCodes.filter((name) => !isRaised(name))).toEqual([]);
});

test("the HTTP server's own rejections have the statuses of the table", () => {
  expect(problems).toMatchObject(
    Object.fromEntries(Object.entries(rejectionStatuses).map(([code, status]) => [code, { status }])),
  );
});

describe("the OpenAPI document", () => {
  const examples = Object.values(document.paths["/register_event"]!)
    .flatMap(({ responses = {} }) => Object.entries(responses))
    .flatMap(([status, { content = {} }]) =>
      Object.entries(content["application/problem+json"]?.examples ?? {}).map(([name, { value }]) => ({
        name,
        responseStatus: Number(status),
        ...value,
      })),
    );

  test("has every code that a route can respond with, each at its own status", () => {
    const withoutRoute = ["not_found", "method_not_allowed"];
    expect(examples.map(({ code }) => code).sort()).toEqual(
      problemCodes.filter((code) => !withoutRoute.includes(code)).sort(),
    );
    for (const { name, code, status, responseStatus } of examples) {
      expect(code).toBe(name);
      expect(status).toBe(responseStatus);
      expect(status).toBe(problems[name as keyof typeof problems].status);
    }
  });

  test("lists every code in its schema, and its page has a row for each", () => {
    expect(document.components.schemas.Problem.properties.code.anyOf.map((row) => row.const)).toEqual(
      problemCodes,
    );
    const page = toPage("API");
    for (const code of problemCodes) expect(page).toContain(`<a href="/problems/${code}">`);
  });
});
