// The routes that take events. What happens between a body and an answer is the service's.

import type { Durability } from "@ingest/contract";
import { Elysia } from "elysia";
import type { ByteBudget } from "../http/byte-budget.ts";
import type { MediaType } from "../http/content.ts";
import { type Body, IncomingRequest } from "../http/request.ts";
import type { LightResponse } from "../http/response.ts";
import type { EventPath, RequestFigures } from "../observe/request-figures.ts";
import { Rejection } from "../rejection.ts";
import type { Admission } from "./admission.ts";
import { toAnswer, toBatchAnswer } from "./answers.ts";
import { registerEventDetail, registerEventsDetail } from "./documentation.ts";
import { createHandler, type EventHandler } from "./handler.ts";
import type { RequestedDurability } from "./requested-durability.ts";
import type { EventService } from "./service.ts";

export interface EventRoutesOptions {
  service: EventService;
  admission: Admission;
  budget: ByteBudget;
  figures: RequestFigures;
  defaultDurability: Durability;
  maxEventBytes: number;
  maxBodyBytes: number;
  /** Makes the answer to a request that failed by a fault of ours. */
  toFaultResponse(error: unknown): LightResponse;
}

export type EventHandlers = Readonly<Record<EventPath, EventHandler>>;

export function eventHandlers(options: EventRoutesOptions): EventHandlers {
  const { service, figures, maxEventBytes, maxBodyBytes } = options;
  return {
    "/register_event": createHandler({
      ...options,
      figures: figures.routes["/register_event"],
      maxBodyBytes: maxEventBytes,
      respond: (body, type, requested) => registerOne(service, body, type, requested),
    }),
    "/register_events": createHandler({
      ...options,
      figures: figures.routes["/register_events"],
      maxBodyBytes,
      respond: (body, type, requested) => registerMany(service, body, type, requested),
    }),
  };
}

/** The routes. Their bodies are whole when they come here: how much, how fast and how it is encoded has limits. */
export function eventRoutes(handlers: EventHandlers) {
  return new Elysia({ name: "events", normalize: false })
    .post("/register_event", routeTo(handlers["/register_event"]), {
      detail: registerEventDetail,
    })
    .post("/register_events", routeTo(handlers["/register_events"]), {
      detail: registerEventsDetail,
    });
}

/** From the server a request is one of its own; who has the application alone sends one of the Fetch standard. */
function routeTo(handler: EventHandler) {
  // Elysia takes a function for asynchronous when its text returns a call, and then waits a turn for each answer.
  return function route({ request }: { request: Request | IncomingRequest }) {
    let answer: LightResponse | Promise<LightResponse>;
    if (request instanceof IncomingRequest) answer = handler.handle(request);
    else answer = readAndHandle(handler, request);
    return answer;
  };
}

async function readAndHandle(handler: EventHandler, request: Request): Promise<LightResponse> {
  return handler.handle(await IncomingRequest.from(request));
}

const oneAsLines = new Rejection(
  "unsupported_media_type",
  "One event is sent as application/json; send NDJSON to /register_events.",
);

function registerOne(service: EventService, body: Body, type: MediaType, requested: RequestedDurability) {
  if (type === "ndjson") return toAnswer(oneAsLines, requested);
  const outcome = service.register(body, requested.durability);
  return outcome instanceof Promise
    ? outcome.then((settled) => toAnswer(settled, requested))
    : toAnswer(outcome, requested);
}

function registerMany(service: EventService, body: Body, type: MediaType, requested: RequestedDurability) {
  const results = service.registerMany(body, type === "ndjson" ? "ndjson" : "array", requested.durability);
  return results instanceof Promise
    ? results.then((settled) => toBatchAnswer(settled, requested))
    : toBatchAnswer(results, requested);
}
