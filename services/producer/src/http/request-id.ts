// Which request is it? The id that the caller sent as `X-Request-Id`, or one made here.
import { type IncomingRequest, LightResponse, type RequestHead } from "@ingest/http-server";
import { PROBLEM_TYPE } from "./problem-response.ts";

const FIELD = "x-request-id";
/** Visible ASCII, bounded: the id is sent back and goes to the log. */
const VALID = /^[\x21-\x7e]{1,128}$/;

/** Ids made here, so that all log lines and the response of one request have the same. */
const made = new WeakMap<IncomingRequest, string>();

/** @returns undefined when the caller sent none, or none that is valid */
export function sentRequestId(head: Pick<RequestHead, "get">): string | undefined {
  const sent = head.get(FIELD);
  return sent !== null && VALID.test(sent) ? sent : undefined;
}

export function requestIdOf(request: IncomingRequest): string {
  const sent = sentRequestId(request.head);
  if (sent !== undefined) return sent;
  let id = made.get(request);
  if (id === undefined) {
    id = Bun.randomUUIDv7();
    made.set(request, id);
  }
  return id;
}

export function toRequestIdLine(id: string): string {
  return `X-Request-Id: ${id}\r\n`;
}

/** A response that names its request: in `X-Request-Id`, and in a problem's `instance` (RFC 9457, section 3.1.5). */
export function withRequestId(response: LightResponse, id: string): LightResponse {
  const { head, body } = response;
  const isProblem = head.fields["Content-Type"] === PROBLEM_TYPE;
  const identified = isProblem ? `${body.slice(0, -1)},"instance":"${toInstance(id)}"}` : body;
  return response.with(toRequestIdLine(id), identified);
}

/** The id that a response has already. */
export function requestIdIn(response: LightResponse | Response): string | undefined {
  return response instanceof LightResponse
    ? /(?:^|\n)X-Request-Id: (.*)\r/.exec(response.lines)?.[1]
    : (response.headers.get(FIELD) ?? undefined);
}

/** A URI that names the request and leads nowhere. ASCII that needs no escaping in JSON. */
function toInstance(id: string): string {
  return `urn:request:${encodeURIComponent(id)}`;
}
