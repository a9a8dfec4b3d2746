// The routes that take events. What happens between a body and an answer is the service's.
import { Elysia } from "elysia";
import type { PromiseName } from "../delivery/index.ts";
import type { BodyReader } from "../http/body.ts";
import type { MediaType } from "../http/content.ts";
import type { RequestFigures } from "../observe/request-figures.ts";
import { Rejection } from "../rejection.ts";
import type { Admission } from "./admission.ts";
import { toAnswer, toBatchAnswer } from "./answers.ts";
import { registerEventDetail, registerEventsDetail } from "./documentation.ts";
import { createHandler } from "./handler.ts";
import type { AskedPromise } from "./promise.ts";
import type { EventService } from "./service.ts";

export interface EventRoutesOptions {
  service: EventService;
  admission: Admission;
  bodies: BodyReader;
  figures: RequestFigures;
  defaultPromise: PromiseName;
  maxEventBytes: number;
  maxBodyBytes: number;
}

export function eventRoutes(options: EventRoutesOptions) {
  const { service, figures, maxEventBytes, maxBodyBytes } = options;
  const registerEvent = createHandler({
    ...options,
    figures: figures.routes["/register_event"],
    maxBytes: maxEventBytes,
    respond: (body, type, asked) => registerOne(service, body, type, asked),
  });
  const registerEvents = createHandler({
    ...options,
    figures: figures.routes["/register_events"],
    maxBytes: maxBodyBytes,
    respond: (body, type, asked) => registerMany(service, body, type, asked),
  });

  // The body is read by the handlers and not by Elysia: how much, how fast and how it is encoded has limits.
  return new Elysia({ name: "events", normalize: false })
    .post("/register_event", ({ request }) => registerEvent(request), {
      parse: "none",
      detail: registerEventDetail,
    })
    .post("/register_events", ({ request }) => registerEvents(request), {
      parse: "none",
      detail: registerEventsDetail,
    });
}

const oneAsLines = new Rejection(
  "unsupported_media_type",
  "One event is sent as application/json; send NDJSON to /register_events.",
);

function registerOne(service: EventService, body: Buffer, type: MediaType, asked: AskedPromise) {
  if (type === "ndjson") return toAnswer(oneAsLines, asked);
  const outcome = service.register(body, asked.name);
  return outcome instanceof Promise
    ? outcome.then((settled) => toAnswer(settled, asked))
    : toAnswer(outcome, asked);
}

function registerMany(service: EventService, body: Buffer, type: MediaType, asked: AskedPromise) {
  const results = service.registerMany(body, type === "ndjson" ? "ndjson" : "array", asked.name);
  return results instanceof Promise
    ? results.then((settled) => toBatchAnswer(settled, asked))
    : toBatchAnswer(results, asked);
}
