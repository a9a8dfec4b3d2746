// The HTTP application: features put together. No socket is opened here; tests call `app.handle`.
import { type HealthSource, healthRoutes, type Log } from "@ingest/service";
import { Elysia } from "elysia";
import { type EventRoutesOptions, eventRoutes } from "./events/index.ts";
import { errorRoutes } from "./http/errors.ts";
import { openapiRoutes } from "./openapi/index.ts";

export interface AppOptions {
  events: EventRoutesOptions;
  health: HealthSource;
  log: Log;
}

const welcome = JSON.stringify({
  service: "event ingestion",
  documentation: "/openapi",
  document: "/openapi/json",
});

export function createApp({ events, health, log }: AppOptions) {
  const { figures } = events;
  const app = new Elysia({ normalize: false, precompile: true, strictPath: true })
    .use(errorRoutes({ log, onAnswer: (status) => figures.noteOther(status) }, (path) => methodsOf(path)))
    .use(eventRoutes(events))
    .use(healthRoutes(health))
    .use(openapiRoutes())
    .get("/", () => new Response(welcome, { headers: { "content-type": "application/json" } }), {
      detail: { hide: true },
    });

  const methods = Map.groupBy(app.routes, ({ path }) => path);
  function methodsOf(path: string): string[] {
    const found = methods.get(path)?.map(({ method }) => method) ?? [];
    return found.includes("GET") ? [...found, "HEAD"] : found;
  }
  return app;
}

export type App = ReturnType<typeof createApp>;
