// What an answer of the API says of each event that was sent with it.
import { Fate } from "../load/ledger.ts";

/** Told event by event. `status` is the API's word: accepted, durable, stored, invalid, retry, unknown. */
export interface EventOutcomes {
  onEvent(index: number, fate: Fate, status: string): void;
}

/** `undefined`: the answer was understood. */
export type AnswerProblem = "unexpected_body" | "wrong_event_id" | undefined;

/** Statuses by which the API takes an event or doesn't; any other word leaves it open. */
const fates: Readonly<Record<string, Fate>> = {
  accepted: Fate.Accepted,
  durable: Fate.Accepted,
  stored: Fate.Accepted,
  invalid: Fate.Refused,
  retry: Fate.Refused,
};

const ACCEPTED = '{"status":"accepted","event_id":"';

/** Reads the answer to one event, of a status below 300. */
export function readSingle(body: string, eventId: string, outcomes: EventOutcomes): AnswerProblem {
  // The answer that nearly every request gets, told from the others without parsing it.
  if (
    body.length === ACCEPTED.length + eventId.length + 2 &&
    body.startsWith(ACCEPTED) &&
    body.startsWith(eventId, ACCEPTED.length) &&
    body.endsWith('"}')
  ) {
    outcomes.onEvent(0, Fate.Accepted, "accepted");
    return undefined;
  }
  const answer = parseObject(body);
  if (typeof answer?.status !== "string") return "unexpected_body";
  if (answer.event_id !== eventId) return "wrong_event_id";
  outcomes.onEvent(0, fates[answer.status] ?? Fate.Unknown, answer.status);
  return undefined;
}

/** Reads the answer to a batch, of a status below 300: a result for each event, by index and id. */
export function readBatch(
  body: string,
  count: number,
  idOf: (index: number) => string,
  outcomes: EventOutcomes,
): AnswerProblem {
  const results = parseObject(body)?.results;
  if (!Array.isArray(results)) return "unexpected_body";
  const seen = new Uint8Array(count);
  let told = 0;
  let wrongId = false;
  for (const result of results as ({ index?: unknown; event_id?: unknown; status?: unknown } | null)[]) {
    const index = result?.index;
    if (typeof index !== "number" || seen[index] !== 0 || typeof result?.status !== "string") continue;
    seen[index] = 1;
    const fate = fates[result.status] ?? Fate.Unknown;
    // What is refused as invalid may have no id to speak of; what is taken must have ours.
    if (result.event_id !== idOf(index) && fate !== Fate.Refused) {
      wrongId = true;
      continue;
    }
    told++;
    outcomes.onEvent(index, fate, result.status);
  }
  if (wrongId) return "wrong_event_id";
  return told === count && results.length === count ? undefined : "unexpected_body";
}

/** The `code` of an RFC 9457 problem; undefined when the body is none. */
export function readProblemCode(body: string): string | undefined {
  const code = parseObject(body)?.code;
  return typeof code === "string" && code !== "" ? code : undefined;
}

/** Does this status say that nothing of the request was taken? 500, 502 and 504 may have come after the fact. */
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
