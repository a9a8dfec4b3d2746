// The API's page and document, from the schemas that are checked. Everything it loads is served from here.
import { dirname, join } from "node:path";
import { openapi } from "@elysiajs/openapi";
import { EventInput } from "@ingest/contract";
import { version } from "@ingest/service";
import type { TSchema } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { schemas } from "../events/model.ts";
import { codeDescriptions } from "./codes.ts";

const PATH = "/openapi";
/** What the page loads, by address. */
const assets = {
  "/openapi/assets/swagger-ui.css": ["swagger-ui.css", "text/css; charset=utf-8"],
  "/openapi/assets/swagger-ui-bundle.js": ["swagger-ui-bundle.js", "text/javascript; charset=utf-8"],
} as const;

/** A schema's `$id` would make references in it relative to that: in a document its name is its place. */
function withoutIds(schemas: Record<string, TSchema>): Record<string, object> {
  return JSON.parse(
    JSON.stringify(schemas, (key, value: unknown) => (key === "$id" ? undefined : value)),
  ) as Record<string, object>;
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
          description: `Events in over HTTP, out to Kafka.\n\n${codeDescriptions()}`,
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
        // Swagger UI would send the document to a service of its makers.
        validatorUrl: "none",
      },
    }),
  );
  for (const [path, [file, type]] of Object.entries(assets)) {
    app.get(path, () => new Response(Bun.file(join(folder, file)), { headers: { "content-type": type } }), {
      detail: { hide: true },
    });
  }
  return app;
}
