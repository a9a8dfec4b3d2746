// Refusals as responses with a problem body (RFC 9457).
import { toProblem } from "@ingest/contract";
import { type HttpRejection, LightResponse, ResponseHead } from "@ingest/http-server";
import { Rejection } from "../rejection.ts";

export const PROBLEM_TYPE = "application/problem+json";

/** Shared between the same kinds of refusal. Bounded, because Retry-After may be any number. */
const heads = new Map<string, ResponseHead>();
const MAX_HEADS = 256;

function headOf(
  status: number,
  retryAfter: number | undefined,
  more: Readonly<Record<string, string>>,
): ResponseHead {
  const fields = {
    "Content-Type": PROBLEM_TYPE,
    ...(retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) }),
    ...more,
  };
  const key = `${status} ${JSON.stringify(fields)}`;
  let head = heads.get(key);
  if (head === undefined) {
    head = new ResponseHead(status, fields);
    if (heads.size < MAX_HEADS) heads.set(key, head);
  }
  return head;
}

/** @param more members of the body beside the standard ones */
export function toProblemResponse(
  rejection: Rejection,
  more: object = {},
  fields: Readonly<Record<string, string>> = {},
): LightResponse {
  const { code, detail } = rejection;
  const { errors, eventId, retryAfterSeconds, closes } = rejection.more;
  const problem = toProblem(code, detail, {
    ...(eventId === undefined ? {} : { event_id: eventId }),
    ...(errors ? { errors } : {}),
  });
  const { status } = problem;
  const retryAfter = retryAfterSeconds ?? (status === 503 || status === 429 ? 1 : undefined);
  return new LightResponse(
    headOf(status, retryAfter, { ...rejection.more.fields, ...fields }),
    JSON.stringify({ ...problem, ...more }),
    closes,
  );
}

/** The response to what the HTTP server itself refused. */
export function toHttpProblemResponse({ code, detail, closes }: HttpRejection): LightResponse {
  return toProblemResponse(new Rejection(code, detail, { closes }));
}
