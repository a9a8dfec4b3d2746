// The HTTP application: features put together. No socket is opened here; tests call `app.handle`.
import { type HealthSource, healthRoutes, type Log } from "@ingest/service";
import { Elysia } from "elysia";
import { type EventHandlers, type EventRoutesOptions, eventHandlers, eventRoutes } from "./events/index.ts";
import { answerAdapter } from "./http/adapter.ts";
import type { Answer } from "./http/answer.ts";
import { createFaultAnswer, errorRoutes } from "./http/errors.ts";
import { openapiRoutes } from "./openapi/index.ts";

export interface AppOptions {
  events: Omit<EventRoutesOptions, "answerFault">;
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
  /** Answers with a Response; a request of the server's own gets an Answer. */
  readonly elysia: { fetch(request: Request): Response | Promise<Response> };
  readonly handlers: EventHandlers;
  answerFault(error: unknown): Answer;
  /** To be told the status of each answer that no handler gave. */
  onAnswer(status: number): void;
}

export function createApp({ events, health, log }: AppOptions) {
  const { figures } = events;
  const answerFault = createFaultAnswer(log);
  const handlers = eventHandlers({ ...events, answerFault });
  const onAnswer = (status: number) => figures.noteOther(status);
  const elysia = new Elysia({ normalize: false, precompile: true, strictPath: true, adapter: answerAdapter })
    .use(errorRoutes({ answerFault, onAnswer }, (path) => methodsOf(path)))
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
  return { elysia, handlers, answerFault, onAnswer };
}
