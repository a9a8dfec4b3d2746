// `GET /NAME.schema.json`: what a file of settings may contain, for editors and validators.
import { Elysia } from "elysia";

/** @param schema the text of the JSON Schema */
export function jsonSchemaRoute(path: string, schema: string) {
  const headers = { "content-type": "application/schema+json", "cache-control": "max-age=3600" };
  return new Elysia({ name: path }).get(path, () => new Response(schema, { headers }), {
    detail: { hide: true },
  });
}
