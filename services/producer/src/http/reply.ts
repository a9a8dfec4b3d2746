// Answers, built as text with headers that are made once.
import { toProblem } from "@ingest/contract";
import type { Rejection } from "../rejection.ts";

const PROBLEM_TYPE = "application/problem+json";

/** The answer to something that isn't taken (RFC 9457). `more` goes into the body beside the standard members. */
export function toProblemResponse(
  rejection: Rejection,
  more: object = {},
  headers: Readonly<Record<string, string>> = {},
): Response {
  const { code, detail } = rejection;
  const { errors, eventId, retryAfterSeconds, closes } = rejection.more;
  const problem = toProblem(code, detail, {
    ...(eventId === undefined ? {} : { event_id: eventId }),
    ...(errors ? { errors } : {}),
  });
  const { status } = problem;
  const retryAfter = retryAfterSeconds ?? (status === 503 || status === 429 ? 1 : undefined);
  return new Response(JSON.stringify({ ...problem, ...more }), {
    status,
    headers: {
      "content-type": PROBLEM_TYPE,
      ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }),
      ...(closes ? { connection: "close" } : {}),
      ...headers,
    },
  });
}
