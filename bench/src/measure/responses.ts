// Reads what a response of the API says about each event of its request.
import { EventOutcome } from "../load/ledger.ts";

/** Called for each event. `status` is the API's: accepted, durable, stored, invalid, retry, unknown. */
export interface OutcomeListener {
  onEvent(index: number, outcome: EventOutcome, status: string): void;
}

/** Why a response can't be used; undefined when it can. */
export type ResponseProblem = "unexpected_body" | "wrong_event_id" | undefined;

/** Any other status leaves the outcome unknown. */
const outcomeByStatus: Readonly<Record<string, EventOutcome>> = {
  accepted: EventOutcome.Accepted,
  durable: EventOutcome.Accepted,
  stored: EventOutcome.Accepted,
  invalid: EventOutcome.Refused,
  retry: EventOutcome.Refused,
};

const ACCEPTED = '{"status":"accepted","event_id":"';

/** Reads the response to one event, with an HTTP status below 300. */
export function readSingle(body: string, eventId: string, listener: OutcomeListener): ResponseProblem {
  // Nearly every response has exactly this form: it is recognized without parsing.
  if (
    body.length === ACCEPTED.length + eventId.length + 2 &&
    body.startsWith(ACCEPTED) &&
    body.startsWith(eventId, ACCEPTED.length) &&
    body.endsWith('"}')
  ) {
    listener.onEvent(0, EventOutcome.Accepted, "accepted");
    return undefined;
  }
  const response = parseObject(body);
  if (typeof response?.status !== "string") return "unexpected_body";
  if (response.event_id !== eventId) return "wrong_event_id";
  listener.onEvent(0, outcomeByStatus[response.status] ?? EventOutcome.Unknown, response.status);
  return undefined;
}

/** Reads the response to a batch, with an HTTP status below 300: a result for each event, by index and id. */
export function readBatch(
  body: string,
  count: number,
  idOf: (index: number) => string,
  listener: OutcomeListener,
): ResponseProblem {
  const results = parseObject(body)?.results;
  if (!Array.isArray(results)) return "unexpected_body";
  const seen = new Uint8Array(count);
  let reported = 0;
  let wrongId = false;
  for (const result of results as ({ index?: unknown; event_id?: unknown; status?: unknown } | null)[]) {
    const index = result?.index;
    if (typeof index !== "number" || seen[index] !== 0 || typeof result?.status !== "string") continue;
    seen[index] = 1;
    const outcome = outcomeByStatus[result.status] ?? EventOutcome.Unknown;
    // An invalid event may have no id; an accepted event must have the id that was sent.
    if (result.event_id !== idOf(index) && outcome !== EventOutcome.Refused) {
      wrongId = true;
      continue;
    }
    reported++;
    listener.onEvent(index, outcome, result.status);
  }
  if (wrongId) return "wrong_event_id";
  return reported === count && results.length === count ? undefined : "unexpected_body";
}

/** The `code` of an RFC 9457 problem; undefined when the body is not a problem. */
export function readProblemCode(body: string): string | undefined {
  const code = parseObject(body)?.code;
  return typeof code === "string" && code !== "" ? code : undefined;
}

/** True when the status means that nothing was accepted. With 500, 502 or 504, events may have been accepted. */
export function isRefusal(httpStatus: number): boolean {
  return (httpStatus >= 300 && httpStatus < 500) || httpStatus === 501 || httpStatus === 503;
}

function parseObject(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
