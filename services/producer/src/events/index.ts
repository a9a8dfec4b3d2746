// The routes that take events: from a request to an answer. What happens in between is the service's.
import { Elysia } from "elysia";
import type { PromiseName } from "../delivery/index.ts";
import type { BodyReader } from "../http/body.ts";
import { toMediaType } from "../http/content.ts";
import { toProblemResponse } from "../http/reply.ts";
import type { RequestFigures, RouteFigures } from "../observe/request-figures.ts";
import { Rejection } from "../rejection.ts";
import type { Admission } from "./admission.ts";
import { toAnswer, toBatchAnswer } from "./answers.ts";
import { registerEventDetail, registerEventsDetail } from "./documentation.ts";
import { toPromise } from "./promise.ts";
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
  const { admission, figures } = options;
  const one = (request: Request) => registerOne(request, options);
  const many = (request: Request) => registerMany(request, options);
  const { "/register_event": oneFigures, "/register_events": manyFigures } = figures.routes;

  // The body is read here and not by Elysia: how much, how fast and how it is encoded has limits.
  return new Elysia({ name: "events", normalize: false })
    .post("/register_event", ({ request }) => answer(request, one, admission, oneFigures), {
      parse: "none",
      detail: registerEventDetail,
    })
    .post("/register_events", ({ request }) => answer(request, many, admission, manyFigures), {
      parse: "none",
      detail: registerEventsDetail,
    });
}

/** Lets a request in, or says at once why not; counts it. */
async function answer(
  request: Request,
  register: (request: Request) => Promise<Response>,
  admission: Admission,
  figures: RouteFigures,
): Promise<Response> {
  const startedMs = performance.now();
  const refusal = admission.refusal();
  if (refusal !== undefined) return counted(toProblemResponse(refusal), figures, startedMs);
  admission.enter();
  try {
    return counted(await register(request), figures, startedMs);
  } catch (error) {
    figures.note(500, startedMs);
    throw error;
  } finally {
    admission.leave();
  }
}

function counted(response: Response, figures: RouteFigures, startedMs: number): Response {
  figures.note(response.status, startedMs);
  return response;
}

async function registerOne(request: Request, options: EventRoutesOptions): Promise<Response> {
  const type = toMediaType(request.headers.get("content-type"));
  if (type instanceof Rejection) return toProblemResponse(type);
  if (type === "ndjson")
    return toProblemResponse(
      new Rejection(
        "unsupported_media_type",
        "One event is sent as application/json; send NDJSON to /register_events.",
      ),
    );
  const asked = askedPromise(request, options);
  if (asked instanceof Rejection) return toProblemResponse(asked);
  const body = await options.bodies.read(request, options.maxEventBytes);
  if (body instanceof Rejection) return toProblemResponse(body);
  return toAnswer(await options.service.register(body, asked.name), asked);
}

async function registerMany(request: Request, options: EventRoutesOptions): Promise<Response> {
  const type = toMediaType(request.headers.get("content-type"));
  if (type instanceof Rejection) return toProblemResponse(type);
  const asked = askedPromise(request, options);
  if (asked instanceof Rejection) return toProblemResponse(asked);
  const body = await options.bodies.read(request, options.maxBodyBytes);
  if (body instanceof Rejection) return toProblemResponse(body);
  const format = type === "ndjson" ? "ndjson" : "array";
  return toBatchAnswer(await options.service.registerMany(body, format, asked.name), asked);
}

function askedPromise({ url, headers }: Request, { defaultPromise }: EventRoutesOptions) {
  const mark = url.indexOf("?");
  return toPromise(mark === -1 ? undefined : url.slice(mark + 1), headers.get("prefer"), defaultPromise);
}
