// Outcomes → HTTP. Bodies are built as text, headers once.

import { toProblemResponse } from "../http/problem-response.ts";
import { LightResponse, ResponseHead } from "../http/response.ts";
import { Rejection } from "../rejection.ts";
import type { RequestedDurability } from "./requested-durability.ts";
import type { EventResult, Registered } from "./service.ts";

const JSON_TYPE = { "Content-Type": "application/json" };

/** One head for each status and preference: an answer makes none. */
const heads = new Map<string, ResponseHead>();
function headOf(status: number, requested: RequestedDurability): ResponseHead {
  const key = requested.isPreference ? status + requested.durability : String(status);
  let head = heads.get(key);
  if (head === undefined) {
    const applied = requested.isPreference
      ? { "Preference-Applied": `durability=${requested.durability}` }
      : {};
    head = new ResponseHead(status, { ...JSON_TYPE, ...applied });
    heads.set(key, head);
  }
  return head;
}

const ACCEPTED = new ResponseHead(202, JSON_TYPE);

/** Text that JSON takes between quotes as it is, a byte a character: made ids, and nearly all that callers make. */
const PLAIN = /^[\w .:;,+=@/#-]*$/;

/** The answer to one event. */
export function toAnswer(outcome: Registered | Rejection, requested: RequestedDurability): LightResponse {
  if (outcome instanceof Rejection) return toProblemResponse(outcome);
  const { status, eventId, stored } = outcome;
  const isPlain = PLAIN.test(eventId);
  const id = isPlain ? `"${eventId}"` : JSON.stringify(eventId);
  if (stored === undefined) {
    const body = `{"status":"${status}","event_id":${id}}`;
    const head = requested.isPreference ? headOf(202, requested) : ACCEPTED;
    return isPlain ? new LightResponse(head, body, false, body.length) : new LightResponse(head, body);
  }
  const { topic, partition, offset } = stored;
  return new LightResponse(
    headOf(201, requested),
    `{"status":"stored","event_id":${id},"topic":${JSON.stringify(topic)},"partition":${partition},"offset":${offset}}`,
  );
}

/**
 * The answer to many: 202 (201 for `stored`) when each was taken, 207 when some were; else a problem with the results
 * beside it: 422 when each is invalid, 504 when no outcome is known, 503 when none could be taken now.
 */
export function toBatchAnswer(
  results: EventResult[] | Rejection,
  requested: RequestedDurability,
): LightResponse {
  if (results instanceof Rejection) return toProblemResponse(results);
  const count = (status: EventResult["status"]) =>
    results.reduce((sum, result) => sum + Number(result.status === status), 0);
  const [invalid, retry, unknown] = [count("invalid"), count("retry"), count("unknown")];
  if (invalid + retry + unknown < results.length || (invalid > 0 && invalid < results.length)) {
    const status = invalid + retry + unknown > 0 ? 207 : requested.durability === "stored" ? 201 : 202;
    return new LightResponse(headOf(status, requested), JSON.stringify({ results }));
  }
  return toProblemResponse(whyNone(results, invalid, unknown), { results });
}

function whyNone(results: EventResult[], invalid: number, unknown: number): Rejection {
  if (invalid > 0) return new Rejection("invalid_event", "None of the events is valid: see results.");
  if (unknown > 0)
    return new Rejection("outcome_unknown", "None of the events was confirmed in time: see results.");
  const { code = "kafka_unavailable", retry_after_seconds: retryAfterSeconds = 1 } = results[0] ?? {};
  return new Rejection(code, "None of the events could be taken: see results.", { retryAfterSeconds });
}
