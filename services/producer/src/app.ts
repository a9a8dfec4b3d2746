// The HTTP application: features put together. No socket is opened here; tests call `app.handle`.
import { type HealthSource, healthRoutes, type Log } from "@ingest/service";
import { Elysia } from "elysia";
import { type EventHandlers, type EventRoutesOptions, eventHandlers, eventRoutes } from "./events/index.ts";
import { lightResponseAdapter } from "./http/adapter.ts";
import { createFaultResponder, errorRoutes } from "./http/errors.ts";
import type { LightResponse } from "./http/response.ts";
import { openapiRoutes } from "./openapi/index.ts";

export interface AppOptions {
  events: Omit<EventRoutesOptions, "toFaultResponse">;
  health: HealthSource;
  log: Log;
}

const welcome = JSON.stringify({
  service: "event ingestion",
  documentation: "/openapi",
  document: "/openapi/json",
});

/** The application, and what the server that is put in front of it needs beside it. */
export interface App {
  /** Answers with a Response; an `IncomingRequest` gets a LightResponse. */
  readonly elysia: { fetch(request: Request): Response | Promise<Response> };
  readonly handlers: EventHandlers;
  toFaultResponse(error: unknown): LightResponse;
  /** Called with the status of each response that no event handler made. */
  onUnhandledResponse(status: number): void;
}

export function createApp({ events, health, log }: AppOptions) {
  const { metrics } = events;
  const toFaultResponse = createFaultResponder(log);
  const handlers = eventHandlers({ ...events, toFaultResponse });
  const onUnhandledResponse = (status: number) => metrics.countOther(status);
  const elysia = new Elysia({
    normalize: false,
    precompile: true,
    strictPath: true,
    adapter: lightResponseAdapter,
  })
    .use(errorRoutes({ toFaultResponse, onUnhandledResponse }, (path) => methodsOf(path)))
    .use(eventRoutes(handlers))
    .use(healthRoutes(health))
    .use(openapiRoutes())
    .get("/", () => new Response(welcome, { headers: { "content-type": "application/json" } }), {
      detail: { hide: true },
    });

  const methods = Map.groupBy(elysia.routes, ({ path }) => path);
  function methodsOf(path: string): string[] {
    const found = methods.get(path)?.map(({ method }) => method) ?? [];
    return found.includes("GET") ? [...found, "HEAD"] : found;
  }
  return { elysia, handlers, toFaultResponse, onUnhandledResponse };
}
