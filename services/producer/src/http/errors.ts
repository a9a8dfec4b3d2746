// Errors that no handler answered: unknown addresses and methods, and faults of our own. Each gets a problem body.
import type { Log } from "@ingest/service";
import { Elysia } from "elysia";
import { Rejection } from "../rejection.ts";
import { toProblemResponse } from "./reply.ts";

export interface ErrorOptions {
  log: Log;
  /** Told the status of each such answer. */
  onAnswer(status: number): void;
}

/** A fault of ours is logged at most this often, ms; each is counted. */
const LOG_EVERY_MS = 1_000;

/** @param methodsOf the methods that an address takes; none when there is nothing at it */
export function errorRoutes({ log, onAnswer }: ErrorOptions, methodsOf: (path: string) => readonly string[]) {
  let loggedMs = Number.NEGATIVE_INFINITY;
  const logFault = (error: unknown) => {
    if (performance.now() - loggedMs < LOG_EVERY_MS) return;
    loggedMs = performance.now();
    log.error({ error }, "a request failed by a fault of this service");
  };
  return new Elysia({ name: "errors" }).onError(
    { as: "global" },
    function toProblem({ code, error, request }) {
      if (code === "NOT_FOUND") return answer(unmatched(request, methodsOf));
      if (code === "PARSE" || code === "INVALID_COOKIE_SIGNATURE")
        return answer(toProblemResponse(new Rejection("bad_parameter", "The request could not be read.")));
      logFault(error);
      return answer(toProblemResponse(new Rejection("internal", "The fault is logged here.")));
    },
  );

  function answer(response: Response): Response {
    onAnswer(response.status);
    return response;
  }
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
    );
  const allow = { allow: methods.join(", ") };
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: allow });
  return toProblemResponse(
    new Rejection("method_not_allowed", `${pathname} takes ${allow.allow}, not ${request.method}.`),
    {},
    allow,
  );
}

/** The last resort, for what is thrown outside of the application. */
export function lastResort(): Response {
  return toProblemResponse(new Rejection("internal", "The request could not be answered."));
}
