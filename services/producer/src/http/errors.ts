// Errors that no handler answered: unknown addresses and methods, and faults of our own. Each gets a problem body.
import type { Log } from "@ingest/service";
import { Elysia } from "elysia";
import { Rejection } from "../rejection.ts";
import { toProblemResponse } from "./problem-response.ts";
import type { LightResponse } from "./response.ts";

export interface ErrorOptions {
  toFaultResponse(error: unknown): LightResponse;
  /** Called with the status of each such response. */
  onUnhandledResponse(status: number): void;
}

/** A fault of ours is logged at most this often, ms; each is counted. */
const LOG_EVERY_MS = 1_000;

/** Answers what failed by a fault of this service: the reason is for its log, not for the caller. */
export function createFaultResponder(log: Log): (error: unknown) => LightResponse {
  let loggedMs = Number.NEGATIVE_INFINITY;
  return function toFaultResponse(error) {
    if (performance.now() - loggedMs >= LOG_EVERY_MS) {
      loggedMs = performance.now();
      log.error({ error }, "a request failed by a fault of this service");
    }
    return toProblemResponse(new Rejection("internal", "The fault is logged here."));
  };
}

/** @param methodsOf the methods that an address takes; none when there is nothing at it */
export function errorRoutes(
  { toFaultResponse, onUnhandledResponse }: ErrorOptions,
  methodsOf: (path: string) => readonly string[],
) {
  return new Elysia({ name: "errors" }).onError(
    { as: "global" },
    function toProblem({ code, error, request }) {
      let response: Response;
      if (code === "NOT_FOUND") response = unmatched(request, methodsOf);
      else if (code === "PARSE" || code === "INVALID_COOKIE_SIGNATURE") response = unreadable();
      else response = toFaultResponse(error).toResponse();
      onUnhandledResponse(response.status);
      // Not a call: Elysia would take this function, and with it every route, for asynchronous.
      return response;
    },
  );
}

function unreadable(): Response {
  return toProblemResponse(new Rejection("bad_parameter", "The request could not be read.")).toResponse();
}

function unmatched(request: Request, methodsOf: (path: string) => readonly string[]): Response {
  const { pathname } = new URL(request.url);
  const methods = methodsOf(pathname);
  if (methods.length === 0)
    return toProblemResponse(
      new Rejection(
        "not_found",
        `There is nothing at ${pathname.slice(0, 200)}: see /openapi for what there is.`,
      ),
    ).toResponse();
  const allow = { allow: methods.join(", ") };
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: allow });
  return toProblemResponse(
    new Rejection("method_not_allowed", `${pathname} takes ${allow.allow}, not ${request.method}.`),
    {},
    allow,
  ).toResponse();
}
