// The event routes as handlers of the server and as routes of Elysia.

import type { Durability } from "@ingest/contract";
import { type ByteBudget, IncomingRequest, type LightResponse } from "@ingest/http-server";
import { Elysia } from "elysia";
import type { RequestMetrics } from "../observe/request-metrics.ts";
import type { Admission } from "./admission.ts";
import { createHandler, type EventHandler } from "./handler.ts";
import { type EventPath, eventPaths, routes } from "./routes.ts";
import type { EventService } from "./service.ts";

export interface EventRoutesOptions {
  service: EventService;
  admission: Admission;
  budget: ByteBudget;
  metrics: RequestMetrics;
  defaultDurability: Durability;
  maxEventBytes: number;
  maxBodyBytes: number;
  /** Makes the response to a request that failed with an unexpected error. */
  toFaultResponse(error: unknown): LightResponse;
}

export type EventHandlers = Readonly<Record<EventPath, EventHandler>>;

export function eventHandlers(options: EventRoutesOptions): EventHandlers {
  const { service, metrics } = options;
  const handlerOf = (path: EventPath) => {
    const { respond, bodyLimit } = routes[path];
    return createHandler({
      ...options,
      metrics: metrics.routes[path],
      maxBodyBytes: options[bodyLimit],
      respond: (body, type, requested) => respond(service, body, type, requested),
    });
  };
  return Object.fromEntries(eventPaths.map((path) => [path, handlerOf(path)])) as EventHandlers;
}

/** The routes. The server reads bodies within its limits of size and time before it calls them. */
export function eventRoutes(handlers: EventHandlers) {
  const app = new Elysia({ name: "events", normalize: false });
  for (const path of eventPaths) app.post(path, routeTo(handlers[path]), { detail: routes[path].detail });
  return app;
}

/** The server calls with its own IncomingRequest; tests, without a server, with a standard Request. */
function routeTo(handler: EventHandler) {
  // The result goes through a variable: Elysia takes a function for asynchronous when its source returns a call, and
  // then each response would wait for a turn of the event loop.
  return function route({ request }: { request: Request | IncomingRequest }) {
    let response: LightResponse | Promise<LightResponse>;
    if (request instanceof IncomingRequest) response = handler.handle(request);
    else response = readAndHandle(handler, request);
    return response;
  };
}

async function readAndHandle(handler: EventHandler, request: Request): Promise<LightResponse> {
  return handler.handle(await IncomingRequest.from(request));
}
