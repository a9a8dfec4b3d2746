// `GET /openapi/schemas` and `/openapi/schemas/<type>`: the schemas in use. Pages for browsers, JSON for everything else.
import { Elysia, t } from "elysia";
import { toProblemResponse } from "../http/problem-response.ts";
import { Rejection } from "../rejection.ts";
import type { CompiledSchema } from "./compiled-schema.ts";
import type { SchemaSet } from "./schema-set.ts";

const PATH = "/openapi/schemas";
/** They change whenever the folder does. */
const headers = { vary: "Accept", "cache-control": "no-cache" };

const listSchema = {
  type: "object" as const,
  properties: {
    schemas: {
      type: "array" as const,
      items: {
        type: "object" as const,
        properties: {
          type: { type: "string" as const },
          versions: { type: "array" as const, items: { type: "integer" as const } },
          href: { type: "string" as const },
        },
      },
    },
  },
};

/** @param schemas the set in use */
export function schemaRoutes(schemas: () => SchemaSet) {
  return new Elysia({ name: "schemas" })
    .get(
      PATH,
      ({ request }) => {
        const set = schemas();
        const rows = set.types.map((type) => ({
          type,
          versions: set.versionsOf(type),
          href: `${PATH}/${encodeURIComponent(type)}`,
        }));
        return isForBrowser(request)
          ? toPage("Schemas", toList(rows))
          : Response.json({ schemas: rows }, { headers });
      },
      {
        detail: {
          operationId: "listSchemas",
          summary: "List the schemas of payloads",
          description: "The event types that have a schema, with their versions.",
          tags: ["events"],
          security: [],
          responses: {
            "200": { description: "The types", content: { "application/json": { schema: listSchema } } },
          },
        },
      },
    )
    .get(
      `${PATH}/:type`,
      ({ request, params: { type }, query: { version } }) => {
        const set = schemas();
        const found = set.find(type, version === undefined ? undefined : Number(version));
        if (typeof found === "string")
          return toProblemResponse(new Rejection("not_found", `${NO_SCHEMA[found]}: see ${PATH}.`));
        if (isForBrowser(request))
          return toPage(`${type}, version ${found.name.version}`, toDetails(found, set));
        return new Response(JSON.stringify(found.schema), {
          headers: { ...headers, "content-type": "application/schema+json" },
        });
      },
      {
        query: t.Object({ version: t.Optional(t.String({ description: "Default: the newest." })) }),
        detail: {
          operationId: "getSchema",
          summary: "Show the schema of a type",
          description: "The JSON Schema that events of this type are checked against.",
          tags: ["events"],
          security: [],
          responses: {
            "200": {
              description: "The schema",
              content: { "application/schema+json": { schema: { type: "object" } } },
            },
            "404": {
              description: "`not_found`: the type has no schema, or none of this version",
              content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
            },
          },
        },
      },
    );
}

const NO_SCHEMA = {
  "unknown type": "This event type has no schema",
  "unknown version": "This event type has no schema of this version",
};

const isForBrowser = (request: Request) => request.headers.get("accept")?.includes("text/html") ?? false;

function toList(rows: readonly { type: string; versions: readonly number[]; href: string }[]): string {
  if (rows.length === 0) return "<p>No schema is in use.</p>";
  const items = rows.map(({ type, versions, href }) => {
    const links = versions.map((version) => `<a href="${href}?version=${version}">${version}</a>`);
    return `<li><a href="${href}">${Bun.escapeHTML(type)}</a>, versions ${links.join(", ")}`;
  });
  return `<ul>${items.join("\n")}</ul>`;
}

function toDetails({ name, schema, describes }: CompiledSchema, set: SchemaSet): string {
  const versions = set.versionsOf(name.type).join(", ");
  return `<p>It describes ${describes === "payload" ? "the <code>payload</code>" : "the whole event"}. Versions: ${versions}.
<pre>${Bun.escapeHTML(JSON.stringify(schema, null, 2))}</pre>
<p><a href="${PATH}">All schemas</a>`;
}

/** No script, nothing loaded. */
function toPage(title: string, body: string): Response {
  const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${Bun.escapeHTML(title)}</title>
<style>
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 50rem; margin: 3rem auto; padding: 0 1rem }
pre { overflow-x: auto }
</style>
<h1>${Bun.escapeHTML(title)}</h1>
${body}
<p><a href="/openapi">API documentation</a></p>
</html>
`;
  return new Response(page, { headers: { ...headers, "content-type": "text/html; charset=utf-8" } });
}
