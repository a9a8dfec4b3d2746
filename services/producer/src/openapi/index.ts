// The API's OpenAPI document, made from the schemas that requests are checked against, and its page.
import { dirname, join } from "node:path";
import { openapi } from "@elysiajs/openapi";
import { EventInput } from "@ingest/contract";
import { version } from "@ingest/service";
import type { TSchema } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { schemas } from "../events/model.ts";
import { StaticFile } from "../http/static-file.ts";
import { assetPaths, toPage } from "./page.ts";

const PATH = "/openapi";
const TITLE = "Event ingestion";

/** Files that the page loads. */
const assets = [
  [assetPaths.style, "swagger-ui.css", "text/css; charset=utf-8"],
  [assetPaths.script, "swagger-ui-bundle.js", "text/javascript; charset=utf-8"],
] as const;

const securitySchemes = {
  bearer: {
    type: "http" as const,
    scheme: "bearer",
    description: "A caller's key as `Authorization: Bearer <key>`.",
  },
  apiKey: {
    type: "apiKey" as const,
    in: "header" as const,
    name: "X-API-Key",
    description: "A caller's key as `X-API-Key: <key>`.",
  },
};

/** Removes `$id`s: with one, the references in a schema would be resolved relative to it. */
function withoutIds(schemas: Record<string, TSchema>): Record<string, object> {
  return JSON.parse(
    JSON.stringify(schemas, (key, value: unknown) => (key === "$id" ? undefined : value)),
  ) as Record<string, object>;
}

export interface OpenapiOptions {
  /** Events need a caller's key, unless CALLERS_FILE has an `anonymous` entry. */
  hasCallers: boolean;
}

/** `GET /openapi` and `GET /openapi/json`. */
export function openapiRoutes({ hasCallers }: OpenapiOptions) {
  const folder = dirname(Bun.resolveSync("swagger-ui-dist/package.json", import.meta.dir));
  const page = toPage(TITLE);
  const app = new Elysia({ name: "openapi-page" })
    .use(
      openapi({
        path: PATH,
        provider: null,
        documentation: {
          info: {
            title: TITLE,
            version,
            description: "Takes events over HTTP and produces them to Kafka.",
            license: { name: "MIT", url: "https://opensource.org/license/mit" },
          },
          servers: [{ url: "/", description: "This producer" }],
          security: hasCallers ? [{ bearer: [] }, { apiKey: [] }, {}] : [],
          tags: [
            { name: "events", description: "Register events" },
            { name: "operations", description: "For operators and their tools" },
          ],
          components: {
            schemas: withoutIds({ Event: EventInput, ...schemas }),
            ...(hasCallers && { securitySchemes }),
          },
        },
      }),
    )
    .get(PATH, () => new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } }), {
      detail: { hide: true },
    });
  for (const [path, file, type] of assets) {
    const asset = new StaticFile(join(folder, file), type);
    app.get(path, ({ request }) => asset.respond(request), { detail: { hide: true } });
  }
  return app;
}
