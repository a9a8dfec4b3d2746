// The event routes as handlers of the server and as routes of Elysia.

import type { ByteBudget, IncomingRequest, LightResponse } from "@ingest/http-server";
import { Elysia } from "elysia";
import type { CallerDirectory } from "../callers/directory.ts";
import type { RequestMetrics } from "../observe/request-metrics.ts";
import type { Admission } from "./admission.ts";
import { createHandler, type EventHandler } from "./handler.ts";
import type { HeadOptions } from "./request-options.ts";
import { type EventPath, type EventRoute, routes as ownRoutes } from "./routes.ts";
import type { EventService } from "./service.ts";

export interface EventRoutesOptions extends HeadOptions {
  service: EventService;
  admission: Admission;
  budget: ByteBudget;
  metrics: RequestMetrics;
  maxEventBytes: number;
  maxBodyBytes: number;
  /** By path; by default those of this service alone. */
  routes?: Readonly<Record<string, EventRoute>> | undefined;
  /** Undefined without CALLERS_FILE: requests have no caller then. */
  callers: CallerDirectory | undefined;
  /** The client's address, by which requests without a key may be limited. */
  addressOf(request: IncomingRequest): string;
  /** Makes the response to a request that failed with an unexpected error. */
  toFaultResponse(error: unknown, request: IncomingRequest): LightResponse;
}

export type EventHandlers = Readonly<Record<EventPath, EventHandler> & Record<string, EventHandler>>;

export function eventHandlers(options: EventRoutesOptions): EventHandlers {
  const { service, metrics, routes = ownRoutes } = options;
  const handlerOf = (path: string, { respond, bodyLimit, isBatch, head, keyIn }: EventRoute) =>
    createHandler({
      ...options,
      ...head,
      keyIn,
      metrics: metrics.routes[path]!,
      maxBodyBytes: options[bodyLimit],
      isBatch,
      respond: (body, requestOptions) => respond(service, body, requestOptions),
    });
  return Object.fromEntries(
    Object.entries<EventRoute>(routes).map(([path, route]) => [path, handlerOf(path, route)]),
  ) as EventHandlers;
}

/** The routes. A request reaches them complete, and within the limits of size and time. */
export function eventRoutes(
  handlers: EventHandlers,
  routes: Readonly<Record<string, EventRoute>> = ownRoutes,
) {
  const app = new Elysia({ name: "events", normalize: false });
  for (const [path, { detail, toImage }] of Object.entries<EventRoute>(routes)) {
    const handler = handlers[path]!;
    if (toImage === undefined) app.post(path, routeTo(handler), { detail });
    else
      app
        .get(path, routeToImage(handler, toImage), { detail })
        // Who asks for the head alone shows no image.
        .head(path, () => toImage(), { detail: { hide: true } });
  }
  return app;
}

/**
 * Elysia reads the source of a handler to decide whether each response has to wait for a promise. A bound function has no
 * source: it is called as it is, and its response is made in the same turn of the event loop unless it is a promise itself.
 */
function routeTo(handler: EventHandler) {
  const route = ({ request }: { request: Request }) => handler.handle(request as Request & IncomingRequest);
  return route.bind(undefined);
}

/** The status of the event is in the metrics: an image that is not found would be shown as broken. */
function routeToImage(handler: EventHandler, toImage: () => Response) {
  return async ({ request }: { request: Request }) => {
    await handler.handle(request as Request & IncomingRequest);
    return toImage();
  };
}
