// Refusals as answers.
import { toProblem } from "@ingest/contract";
import type { Rejection } from "../rejection.ts";
import { LightResponse, ResponseHead } from "./response.ts";

const PROBLEM_TYPE = "application/problem+json";

/** Few kinds of refusals are given often. Bounded: how long to wait may be any number. */
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

/** The answer to something that isn't taken (RFC 9457). `more` goes into the body beside the standard members. */
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
    headOf(status, retryAfter, fields),
    JSON.stringify({ ...problem, ...more }),
    closes,
  );
}
