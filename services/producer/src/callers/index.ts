// `GET /callers.schema.json`: what CALLERS_FILE may contain, for editors and validators.
import { Elysia } from "elysia";
import { callersSchema } from "./file-schema.ts";

export function callersSchemaRoute() {
  const schema = callersSchema();
  return new Elysia({ name: "callers-schema" }).get(
    "/callers.schema.json",
    () =>
      new Response(schema, {
        headers: { "content-type": "application/schema+json", "cache-control": "max-age=3600" },
      }),
    { detail: { hide: true } },
  );
}
