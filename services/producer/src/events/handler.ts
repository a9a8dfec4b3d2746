// What the event routes have in common: who may come in, what is asked for, reading the body, counting the answer.
// One promise a request and no `await`: the usual answer is made in the turn in which the body is there.
import type { PromiseName } from "../delivery/index.ts";
import type { BodyReader } from "../http/body.ts";
import { type MediaType, toMediaType } from "../http/content.ts";
import { toProblemResponse } from "../http/reply.ts";
import type { RouteFigures } from "../observe/request-figures.ts";
import { Rejection } from "../rejection.ts";
import type { Admission } from "./admission.ts";
import { type AskedPromise, toPromise } from "./promise.ts";

export interface HandlerOptions {
  admission: Admission;
  bodies: BodyReader;
  figures: RouteFigures;
  defaultPromise: PromiseName;
  maxBytes: number;
  /** Makes the answer to a body. */
  respond(body: Buffer, type: MediaType, asked: AskedPromise): Response | Promise<Response>;
}

/** Answers requests of one route. */
export function createHandler(options: HandlerOptions): (request: Request) => Response | Promise<Response> {
  const { admission, bodies, figures, defaultPromise, maxBytes, respond } = options;

  function refuse(rejection: Rejection, startedMs: number): Response {
    const response = toProblemResponse(rejection);
    figures.note(response.status, startedMs);
    return response;
  }

  function leave(response: Response, startedMs: number): Response {
    admission.leave();
    figures.note(response.status, startedMs);
    return response;
  }

  /** A fault of ours: whoever is above makes its answer. */
  function fail(error: unknown, startedMs: number): never {
    admission.leave();
    figures.note(500, startedMs);
    throw error;
  }

  return function handle(request) {
    const startedMs = performance.now();
    const refusal = admission.refusal();
    if (refusal !== undefined) return refuse(refusal, startedMs);
    const { headers, url } = request;
    const type = toMediaType(headers.get("content-type"));
    if (type instanceof Rejection) return refuse(type, startedMs);
    const mark = url.indexOf("?");
    const query = mark === -1 ? undefined : url.slice(mark + 1);
    const asked = toPromise(query, headers.get("prefer"), defaultPromise);
    if (asked instanceof Rejection) return refuse(asked, startedMs);
    admission.enter();
    return bodies.read(request, maxBytes, (body) => {
      if (body instanceof Rejection) return leave(toProblemResponse(body), startedMs);
      try {
        const response = respond(body, type, asked);
        return response instanceof Promise
          ? response.then(
              (settled) => leave(settled, startedMs),
              (error) => fail(error, startedMs),
            )
          : leave(response, startedMs);
      } catch (error) {
        return fail(error, startedMs);
      }
    });
  };
}
