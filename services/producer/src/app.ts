// The HTTP application: features put together. No socket is opened here; tests call `app.handle`.
import { type HealthSource, healthRoutes, type Log } from "@ingest/service";
import { type AnyElysia, Elysia } from "elysia";
import { callersSchema } from "./callers/file-schema.ts";
import { type EventRoutesOptions, eventHandlers, eventRoutes } from "./events/index.ts";
import { createDoors, lightResponseAdapter } from "./http/adapter.ts";
import type { Edge } from "./http/edge.ts";
import { createFaultResponder, errorRoutes } from "./http/errors.ts";
import { jsonSchemaRoute } from "./http/json-schema-route.ts";
import { openapiRoutes } from "./openapi/index.ts";
import { problemRoutes } from "./problems/index.ts";
import { routesSchema } from "./routes/file-schema.ts";
import { schemaRoutes } from "./schemas/routes.ts";
import type { SchemaSet } from "./schemas/schema-set.ts";

export interface AppOptions {
  events: Omit<EventRoutesOptions, "callers" | "originSource" | "addressOf" | "toFaultResponse">;
  edge: Edge;
  health: HealthSource;
  log: Log;
  /** Serve the API's page and document. */
  hasOpenapi: boolean;
  /** The schemas of payloads; absent when SCHEMA_MODE is off. */
  schemas?: (() => SchemaSet) | undefined;
  /** Elysia plugins for all routes. Their error hooks come before those of this service. */
  plugins?: readonly AnyElysia[];
}

const service = { service: "event ingestion" };
const documents = { documentation: "/openapi", document: "/openapi/json" };

/** Called without a socket by tests, and put behind one by `listen`. */
export function createApp({ events, edge, health, log, hasOpenapi, schemas, plugins = [] }: AppOptions) {
  const { metrics } = events;
  const { callers, originSource } = edge;
  const toFaultResponse = createFaultResponder(log, edge.callerOf);
  const handlers = eventHandlers({
    ...events,
    callers,
    originSource,
    addressOf: ({ peer, head }) => edge.trustedProxies.clientOf(peer.remoteAddress, head),
    toFaultResponse,
  });
  const onUnhandledResponse = (status: number) => metrics.countOther(status);
  const base = new Elysia({
    normalize: false,
    precompile: true,
    strictPath: true,
    adapter: lightResponseAdapter,
    // Otherwise Elysia looks for the path behind the 11th character of the URL: a Host may be shorter.
    handler: { standardHostname: false },
  });
  // Elysia types what it hands over as any function.
  base.wrap(createDoors(edge.finish, hasHeadRoute) as never);
  for (const plugin of plugins) base.use(plugin);
  const elysia = base
    .use(errorRoutes({ toFaultResponse, hasOpenapi, onUnhandledResponse }, (path) => methodsOf(path)))
    .use(eventRoutes(handlers, events.routes))
    .use(healthRoutes(health))
    .use(hasOpenapi && schemas !== undefined ? schemaRoutes(schemas) : new Elysia())
    .use(hasOpenapi ? openapiRoutes({ hasCallers: callers !== undefined }) : new Elysia())
    .use(problemRoutes())
    .use(jsonSchemaRoute("/callers.schema.json", callersSchema()))
    .use(jsonSchemaRoute("/routes.schema.json", routesSchema()))
    .get("/", () => Response.json(hasOpenapi ? { ...service, ...documents } : service), {
      detail: { hide: true },
    });

  const routes = elysia.routes.map(({ method, path }) => ({
    method,
    pattern: new RegExp(`^${RegExp.escape(path).replaceAll(/:\w+/g, "[^/]+")}$`),
  }));
  function methodsOf(path: string): string[] {
    const found = new Set(routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method));
    if (found.size === 0) return [];
    if (found.has("GET")) found.add("HEAD");
    return [...found.add("OPTIONS")];
  }
  function hasHeadRoute(path: string): boolean {
    return routes.some(({ method, pattern }) => method === "HEAD" && pattern.test(path));
  }
  return { elysia, handlers, edge, toFaultResponse, onUnhandledResponse };
}
