// Outcomes → HTTP. Bodies are built as text, headers once.

import { toProblemResponse } from "../http/reply.ts";
import { Rejection } from "../rejection.ts";
import type { AskedPromise } from "./promise.ts";
import type { EventResult, Registered } from "./service.ts";

const JSON_TYPE = { "content-type": "application/json" };

/** One `ResponseInit` for each status and preference: an answer makes none. */
const inits = new Map<string, ResponseInit>();
function initOf(status: number, asked: AskedPromise): ResponseInit {
  const key = asked.isPreference ? status + asked.name : String(status);
  let init = inits.get(key);
  if (init === undefined) {
    const applied = asked.isPreference ? { "preference-applied": `durability=${asked.name}` } : {};
    init = { status, headers: new Headers({ ...JSON_TYPE, ...applied }) };
    inits.set(key, init);
  }
  return init;
}

const ACCEPTED: ResponseInit = { status: 202, headers: new Headers(JSON_TYPE) };

/** The answer to one event. */
export function toAnswer(outcome: Registered | Rejection, asked: AskedPromise): Response {
  if (outcome instanceof Rejection) return toProblemResponse(outcome);
  const { status, eventId, stored } = outcome;
  const body = `{"status":"${status}","event_id":${JSON.stringify(eventId)}`;
  if (stored === undefined)
    return new Response(`${body}}`, asked.isPreference ? initOf(202, asked) : ACCEPTED);
  const { topic, partition, offset } = stored;
  return new Response(
    `${body},"topic":${JSON.stringify(topic)},"partition":${partition},"offset":${offset}}`,
    initOf(201, asked),
  );
}

/**
 * The answer to many: 202 (201 for `stored`) when each was taken, 207 when some were; else a problem with the results
 * beside it: 422 when each is invalid, 504 when no outcome is known, 503 when none could be taken now.
 */
export function toBatchAnswer(results: EventResult[] | Rejection, asked: AskedPromise): Response {
  if (results instanceof Rejection) return toProblemResponse(results);
  const count = (status: EventResult["status"]) =>
    results.reduce((sum, result) => sum + Number(result.status === status), 0);
  const [invalid, retry, unknown] = [count("invalid"), count("retry"), count("unknown")];
  if (invalid + retry + unknown < results.length || (invalid > 0 && invalid < results.length)) {
    const status = invalid + retry + unknown > 0 ? 207 : asked.name === "stored" ? 201 : 202;
    return new Response(JSON.stringify({ results }), initOf(status, asked));
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
