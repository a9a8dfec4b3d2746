// Problem responses to errors that no handler caught: unknown paths and methods, and exceptions.
import { IncomingRequest, type LightResponse, type RequestHead } from "@ingest/http-server";
import type { Log } from "@ingest/service";
import { Elysia } from "elysia";
import { Rejection } from "../rejection.ts";
import { toProblemResponse } from "./problem-response.ts";
import { requestIdOf, withRequestId } from "./request-id.ts";

export interface ErrorOptions {
  toFaultResponse(error: unknown, request: Request): LightResponse;
  /** The API's page exists, so that responses can point to it. */
  hasOpenapi: boolean;
  /** Called with the status of each such response. */
  onUnhandledResponse(status: number): void;
}

/** An exception is logged at most this often, ms; each is counted. */
const LOG_EVERY_MS = 1_000;

/**
 * Responds to a request that failed with an exception: its reason goes to the log, not to the caller.
 * @param callerOf the id of the caller; undefined where requests have none
 */
export function createFaultResponder(
  log: Log,
  callerOf: (head: RequestHead) => string | undefined,
): (error: unknown, request?: Request) => LightResponse {
  let loggedMs = Number.NEGATIVE_INFINITY;
  return function toFaultResponse(error, request) {
    const incoming = request instanceof IncomingRequest ? request : undefined;
    const id = incoming && requestIdOf(incoming);
    if (performance.now() - loggedMs >= LOG_EVERY_MS) {
      loggedMs = performance.now();
      const caller = incoming && callerOf(incoming.head);
      log.error({ error, request_id: id, caller }, "request failed: exception in this service");
    }
    const response = toProblemResponse(new Rejection("internal", "The error is in the log of this service."));
    // By the id, the caller's report leads to the line in the log.
    return id === undefined ? response : withRequestId(response, id);
  };
}

/** @param methodsOf the methods that a path allows; none when the path does not exist */
export function errorRoutes(
  { toFaultResponse, hasOpenapi, onUnhandledResponse }: ErrorOptions,
  methodsOf: (path: string) => readonly string[],
) {
  return new Elysia({ name: "errors" }).onError(
    { as: "global" },
    function toProblem({ code, error, request }) {
      // `status()` and an invalid parameter of a plugin's route: Elysia's own response says what is wrong.
      if (typeof code === "number" || code === "VALIDATION") return undefined;
      const response =
        code === "NOT_FOUND"
          ? unmatched(request, methodsOf, hasOpenapi)
          : code === "PARSE" || code === "INVALID_COOKIE_SIGNATURE"
            ? UNREADABLE
            : toFaultResponse(error, request);
      onUnhandledResponse(response.status);
      return response;
    },
  );
}

const UNREADABLE = toProblemResponse(new Rejection("bad_parameter", "The request could not be read."));

function unmatched(
  request: Request,
  methodsOf: (path: string) => readonly string[],
  hasOpenapi: boolean,
): LightResponse | Response {
  const { pathname } = new URL(request.url);
  const methods = methodsOf(pathname);
  if (methods.length === 0)
    return toProblemResponse(
      new Rejection(
        "not_found",
        `Nothing exists at ${pathname.slice(0, 200)}${hasOpenapi ? ": see /openapi for the paths" : ""}.`,
      ),
    );
  const allow = methods.join(", ");
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
  return toProblemResponse(
    new Rejection("method_not_allowed", `${pathname} allows ${allow}, not ${request.method}.`),
    {},
    { Allow: allow },
  );
}
