// Checks that every server does the same work: it rejects invalid bodies, and stores valid events as the contract says.
import { isStoredEvent } from "@ingest/contract";
import type { ConsumedRecord } from "@ingest/kafka";

const json = "application/json";

interface InvalidBody {
  readonly body: string;
  readonly type?: string;
  /** The status that this project's service must return. Other servers may return another 4xx. */
  readonly status: number;
}

const invalidBodies: readonly InvalidBody[] = [
  { body: "", status: 400 },
  { body: "not json", status: 400 },
  { body: '{"event_type":"a"', status: 400 },
  { body: '{"event_type":"a"}}', status: 400 },
  { body: "null", status: 422 },
  { body: '"text"', status: 422 },
  { body: "[]", status: 422 },
  { body: '["a"]', status: 422 },
  { body: "{}", status: 422 },
  { body: '{"event_type":""}', status: 422 },
  { body: '{"event_type":7}', status: 422 },
  { body: '{"event_type":null}', status: 422 },
  { body: `{"event_type":"${"x".repeat(129)}"}`, status: 422 },
  { body: '{"event_type":"a","event_id":""}', status: 422 },
  { body: '{"event_type":"a","event_id":7}', status: 422 },
  { body: `{"event_type":"a","event_id":"${"x".repeat(129)}"}`, status: 422 },
  { body: '{"event_type":"a","user_id":null}', status: 422 },
  { body: '{"event_type":"a","user_id":""}', status: 422 },
  { body: `{"event_type":"a","user_id":"${"x".repeat(257)}"}`, status: 422 },
  { body: '{"event_type":"a","timestamp":"yesterday"}', status: 422 },
  { body: '{"event_type":"a","timestamp":"2026-02-31T00:00:00Z"}', status: 422 },
  { body: '{"event_type":"a","timestamp":"2026-01-31T24:00:00Z"}', status: 422 },
  { body: '{"event_type":"a","timestamp":"2026-01-31T12:00:00"}', status: 422 },
  { body: '{"event_type":"a","timestamp":-1}', status: 422 },
  { body: '{"event_type":"a","timestamp":1.5}', status: 422 },
  { body: '{"event_type":"a","timestamp":8640000000000001}', status: 422 },
  { body: '{"event_type":"a","timestamp":true}', status: 422 },
  { body: '{"event_type":"a","timestamp":null}', status: 422 },
  { body: '{"event_type":"a","payload":"text"}', status: 422 },
  { body: '{"event_type":"a","payload":[]}', status: 422 },
  { body: '{"event_type":"a","payload":null}', status: 422 },
  { body: '{"event_type":"a","extra":1}', status: 422 },
  { body: '{"event_type":"a"}', type: "text/plain", status: 415 },
];

/** Sent byte for byte. Each has an event_type of its own, which identifies its record. */
const validBodies: readonly string[] = [
  '{"event_type":"check-1"}',
  '{"event_type":"check-2","event_id":"given-1","user_id":"user-1"}',
  ' { "event_type" : "check-3" , "user_id" : "Zoë 🚲" , "payload" : { "n" : 1.5, "list": [null, {}] } } ',
  '{"event_type":"check-4","event_id":"a\\"b\\\\c","timestamp":"2024-02-29T23:59:60.123456789+05:30"}',
  '{"event_type":"check-5","timestamp":1769860800000,"payload":{}}',
  `{"event_type":"${"x".repeat(128)}","user_id":"${"u".repeat(256)}"}`,
];

const UUIDV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export interface CheckResult {
  /** A line for each violation. */
  readonly problems: string[];
  /** Number of 202s, and so of the records to expect. */
  readonly accepted: number;
}

/**
 * Sends every body once.
 * @param isExact whether a rejection must have the contract's status; otherwise any 4xx is correct
 */
export async function checkResponses(url: URL, isExact: boolean): Promise<CheckResult> {
  const problems: string[] = [];
  let accepted = 0;
  for (const { body, type = json, status } of invalidBodies) {
    const response = await post(url, body, type);
    if (response.status === 202) accepted++;
    const isCorrect = isExact ? response.status === status : response.status >= 400 && response.status < 500;
    if (!isCorrect) problems.push(`${body || "an empty body"} got ${response.status}, expected ${status}`);
  }
  for (const body of validBodies) {
    const response = await post(url, body, json);
    if (response.status === 202) accepted++;
    const expectedId = (JSON.parse(body) as { event_id?: string }).event_id;
    const got = parse(response.text);
    const hasExpectedId =
      expectedId === undefined ? UUIDV7.test(String(got?.event_id)) : got?.event_id === expectedId;
    if (response.status !== 202 || got?.status !== "accepted" || !hasExpectedId) {
      problems.push(`${body} got ${response.status} ${response.text.slice(0, 200)}`);
    }
  }
  return { problems, accepted };
}

/** Checks the records of the valid bodies: an id, a time, all members that were sent, and the user's id as the key. */
export function checkRecords(records: readonly ConsumedRecord[]): string[] {
  const problems: string[] = [];
  const sent = validBodies.map((body) => JSON.parse(body) as Record<string, unknown>);
  for (const record of records) {
    const text = record.value?.toString() ?? "";
    const event = parse(text);
    if (!isStoredEvent(event)) {
      problems.push(`a record is not an event: ${text.slice(0, 200)}`);
      continue;
    }
    const origin = sent.findIndex((members) =>
      Object.entries(members).every(([name, value]) =>
        Bun.deepEquals((event as Record<string, unknown>)[name], value),
      ),
    );
    if (origin < 0) problems.push(`a record matches no event that was sent: ${text.slice(0, 200)}`);
    else sent.splice(origin, 1);
    if ((record.key?.toString() ?? undefined) !== event.user_id) {
      problems.push(`the key of ${event.event_id} is ${record.key?.toString()}, not the user's id`);
    }
  }
  for (const members of sent) problems.push(`no record for ${JSON.stringify(members).slice(0, 200)}`);
  return problems;
}

async function post(url: URL, body: string, type: string): Promise<{ status: number; text: string }> {
  const endpoint = new URL("/register_event", url);
  const response = await fetch(endpoint, { method: "POST", body, headers: { "Content-Type": type } });
  return { status: response.status, text: await response.text() };
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
