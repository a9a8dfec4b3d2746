// Results → HTTP responses. Bodies are built as text; heads are made once and shared.
import { LightResponse, ResponseHead } from "@ingest/http-server";
import { toProblemResponse } from "../http/problem-response.ts";
import { Rejection } from "../rejection.ts";
import type { EventResult } from "./model.ts";
import type { RequestedDurability } from "./requested-durability.ts";
import type { Registered } from "./service.ts";

const JSON_TYPE = { "Content-Type": "application/json" };

/** One head for each status and applied preference. */
const heads = new Map<string, ResponseHead>();
function headOf(status: number, { isPreference, durability }: RequestedDurability): ResponseHead {
  const key = isPreference ? status + durability : String(status);
  let head = heads.get(key);
  if (head === undefined) {
    const applied = isPreference ? { "Preference-Applied": `durability=${durability}` } : {};
    head = new ResponseHead(status, { ...JSON_TYPE, ...applied });
    heads.set(key, head);
  }
  return head;
}

const ACCEPTED = new ResponseHead(202, JSON_TYPE);

/** Text that needs no escaping in JSON, one byte a character: generated ids, and nearly all ids of callers. */
const PLAIN = /^[\w .:;,+=@/#-]*$/;

/** The response to a single event. */
export function toEventResponse(
  result: Registered | Rejection,
  requested: RequestedDurability,
): LightResponse {
  if (result instanceof Rejection) return toProblemResponse(result);
  const { status, event_id } = result;
  const isPlain = PLAIN.test(event_id);
  const id = isPlain ? `"${event_id}"` : JSON.stringify(event_id);
  if (status === "stored") {
    const { topic, partition, offset } = result;
    return new LightResponse(
      headOf(201, requested),
      `{"status":"stored","event_id":${id},"topic":${JSON.stringify(topic)},"partition":${partition},"offset":${offset}}`,
    );
  }
  const body = `{"status":"${status}","event_id":${id}}`;
  const head = requested.isPreference ? headOf(202, requested) : ACCEPTED;
  return isPlain ? new LightResponse(head, body, false, body.length) : new LightResponse(head, body);
}

/**
 * The response to a batch: 202 (201 for `stored`) when every event was taken (an empty batch has none), 207 when some
 * were. Otherwise a problem with a member `results`: 422 when every event is invalid, 504 when an outcome is unknown, else the
 * status of its first result.
 */
export function toBatchResponse(
  results: EventResult[] | Rejection,
  requested: RequestedDurability,
): LightResponse {
  if (results instanceof Rejection) return toProblemResponse(results);
  const count = (status: EventResult["status"]) =>
    results.reduce((sum, result) => sum + Number(result.status === status), 0);
  const [invalid, retry, unknown] = [count("invalid"), count("retry"), count("unknown")];
  const failed = invalid + retry + unknown;
  if (failed < results.length || failed === 0 || (invalid > 0 && invalid < results.length)) {
    const status = failed > 0 ? 207 : requested.durability === "stored" ? 201 : 202;
    return new LightResponse(headOf(status, requested), JSON.stringify({ results }));
  }
  return toProblemResponse(whyNoneTaken(results, invalid, unknown), { results });
}

/**
 * The response to the SDK of another product, which sends a batch again as a whole or not at all: 200 unless an event may
 * succeed later, or every event is invalid. Events that were taken already keep their ids when the batch is sent again.
 * @param success the body that the SDK expects; with `results` where some events are invalid
 */
export function toAdapterResponse(
  results: EventResult[] | Rejection,
  success: object,
  requested: RequestedDurability,
): LightResponse {
  if (results instanceof Rejection) return toProblemResponse(results);
  const again = results.filter(({ status }) => status === "retry" || status === "unknown");
  const invalid = results.filter(({ status }) => status === "invalid").length;
  if (again.length > 0 || (invalid > 0 && invalid === results.length)) {
    const unknown = again.filter(({ status }) => status === "unknown").length;
    const { code, detail, more } = whyNoneTaken(
      again.length > 0 ? again : results,
      again.length > 0 ? 0 : invalid,
      unknown,
    );
    const why = again.length > 0 ? "Not all events were taken: send the batch again, see results." : detail;
    return toProblemResponse(new Rejection(code, why, more), { results });
  }
  const body = invalid === 0 ? success : { ...success, results };
  return new LightResponse(headOf(200, requested), JSON.stringify(body));
}

function whyNoneTaken(results: EventResult[], invalid: number, unknown: number): Rejection {
  if (invalid > 0) return new Rejection("invalid_event", "None of the events is valid: see results.");
  if (unknown > 0)
    return new Rejection(
      "outcome_unknown",
      "None of the events was confirmed in time, and each may still arrive: send them again with the event_id of their results.",
    );
  const { code = "kafka_unavailable", retry_after_seconds: retryAfterSeconds = 1 } = results[0] ?? {};
  return new Rejection(
    code,
    "None of the events could be taken: send them again after Retry-After, see results.",
    { retryAfterSeconds },
  );
}
