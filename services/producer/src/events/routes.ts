// The routes that take events, in one table: metrics, handlers, Elysia's routes and the documentation follow from it.
import type { Body, LightResponse, RequestHead } from "@ingest/http-server";
import type { DocumentDecoration } from "elysia";
import { registerEventDetail, registerEventsDetail } from "./documentation.ts";
import type { HeadOptions, RequestOptions } from "./request-options.ts";
import { toBatchResponse, toEventResponse } from "./responses.ts";
import type { EventService } from "./service.ts";

export interface EventRoute {
  /** What the OpenAPI document says about it. */
  readonly detail: DocumentDecoration;
  /** The setting that limits its bodies. */
  readonly bodyLimit: "maxEventBytes" | "maxBodyBytes";
  /** A body may hold many events. */
  readonly isBatch: boolean;
  /** How the head of a request is read, where it differs. */
  readonly head?: Partial<Pick<HeadOptions, "formatOf" | "encodingsOf" | "ignoresQuery" | "isForAnyPage">>;
  /** An image: it is fetched by GET, and shown whatever becomes of its event. */
  readonly toImage?: () => Response;
  /** The key in a decompressed body. */
  readonly keyIn?: ((body: Body, head: RequestHead) => string | undefined) | undefined;
  respond(service: EventService, body: Body, options: RequestOptions): LightResponse | Promise<LightResponse>;
}

export const routes = {
  "/register_event": {
    detail: registerEventDetail,
    bodyLimit: "maxEventBytes",
    isBatch: false,
    respond(service, body, options) {
      const { requested } = options;
      const result = service.register(body, options);
      return result instanceof Promise
        ? result.then((settled) => toEventResponse(settled, requested))
        : toEventResponse(result, requested);
    },
  },
  "/register_events": {
    detail: registerEventsDetail,
    bodyLimit: "maxBodyBytes",
    isBatch: true,
    respond(service, body, options) {
      const { requested } = options;
      const results = service.registerMany(body, options);
      return results instanceof Promise
        ? results.then((settled) => toBatchResponse(settled, requested))
        : toBatchResponse(results, requested);
    },
  },
} as const satisfies Record<string, EventRoute>;

export type EventPath = keyof typeof routes;
export const eventPaths = Object.keys(routes) as EventPath[];
