// The API's OpenAPI document, made from the schemas that requests are checked against, and its page. All that the page
// loads is served by this service.
import { dirname, join } from "node:path";
import { openapi } from "@elysiajs/openapi";
import { EventInput, problemCodes, problems, problemType } from "@ingest/contract";
import { version } from "@ingest/service";
import type { TSchema } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { schemas } from "../events/model.ts";
import { StaticFile } from "../http/static-file.ts";

const PATH = "/openapi";
/** Files that the page loads, by path. */
const assets = {
  "/openapi/assets/swagger-ui.css": ["swagger-ui.css", "text/css; charset=utf-8"],
  "/openapi/assets/swagger-ui-bundle.js": ["swagger-ui-bundle.js", "text/javascript; charset=utf-8"],
} as const;

/** Removes `$id`s: with one, the references in a schema would be resolved relative to it. */
function withoutIds(schemas: Record<string, TSchema>): Record<string, object> {
  return JSON.parse(
    JSON.stringify(schemas, (key, value: unknown) => (key === "$id" ? undefined : value)),
  ) as Record<string, object>;
}

/** A Markdown table of every problem code. */
function problemTable(): string {
  const rows = problemCodes.map((code) => {
    const { status, title, canRetry } = problems[code];
    return `| [\`${code}\`](${problemType(code)}) | ${status} | ${title} | ${canRetry ? "yes" : "no"} |`;
  });
  return ["| code | status | meaning | retry? |", "|---|---|---|---|", ...rows].join("\n");
}

/** `GET /openapi` and `GET /openapi/json`. */
export function openapiRoutes() {
  const folder = dirname(Bun.resolveSync("swagger-ui-dist/package.json", import.meta.dir));
  const app = new Elysia({ name: "openapi-page" }).use(
    openapi({
      path: PATH,
      provider: "swagger-ui",
      documentation: {
        info: {
          title: "Event ingestion",
          version,
          description: `Takes events over HTTP and produces them to Kafka.\n\n${problemTable()}`,
        },
        tags: [
          { name: "events", description: "Register events" },
          { name: "operations", description: "For operators and their tools" },
        ],
        components: { schemas: withoutIds({ Event: EventInput, ...schemas }) },
      },
      swagger: {
        cdn: "/openapi/assets/swagger-ui-bundle.js",
        theme: "/openapi/assets/swagger-ui.css",
        // Swagger UI would otherwise send the document to a validator on the internet.
        validatorUrl: "none",
      },
    }),
  );
  for (const [path, [file, type]] of Object.entries(assets)) {
    const asset = new StaticFile(join(folder, file), type);
    app.get(path, ({ request }) => asset.respond(request), { detail: { hide: true } });
  }
  return app;
}
