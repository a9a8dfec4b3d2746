// Every way in which the API says no: one table of codes, and the RFC 9457 body made from it.
import { type Static, Type } from "@sinclair/typebox";

/** code → HTTP status, title, and whether trying the same request later can help. */
export const problems = {
  not_http: { status: 400, title: "The request is not HTTP/1.1", canRetry: false },
  not_json: { status: 400, title: "The body is not JSON", canRetry: false },
  bad_encoding: { status: 400, title: "The body could not be decoded", canRetry: false },
  bad_parameter: { status: 400, title: "A parameter or header is not valid", canRetry: false },
  unauthorized: { status: 401, title: "Credentials are missing or wrong", canRetry: false },
  not_found: { status: 404, title: "There is nothing at this address", canRetry: false },
  method_not_allowed: { status: 405, title: "This address does not take that method", canRetry: false },
  request_timeout: { status: 408, title: "The request did not arrive in time", canRetry: true },
  too_large: { status: 413, title: "The body or the event is too large", canRetry: false },
  unsupported_media_type: {
    status: 415,
    title: "This content type or encoding is not taken",
    canRetry: false,
  },
  invalid_event: { status: 422, title: "The body is not an event", canRetry: false },
  rate_limited: { status: 429, title: "Over the caller's limit", canRetry: true },
  expectation_failed: { status: 417, title: "What the request expects can't be met", canRetry: false },
  head_too_large: { status: 431, title: "The head of the request is too large", canRetry: false },
  not_implemented: { status: 501, title: "The transfer encoding is not spoken here", canRetry: false },
  version_not_supported: { status: 505, title: "The version of HTTP is not spoken here", canRetry: false },
  internal: { status: 500, title: "Something went wrong on our side", canRetry: true },
  queue_full: { status: 503, title: "The queue to Kafka is full", canRetry: true },
  journal_full: { status: 503, title: "Kafka is away and the journal is full", canRetry: true },
  journal_unavailable: { status: 503, title: "The journal can't be written", canRetry: true },
  overloaded: { status: 503, title: "Too many requests at once", canRetry: true },
  kafka_unavailable: { status: 503, title: "Kafka does not take events now", canRetry: true },
  shutting_down: { status: 503, title: "This server is stopping", canRetry: true },
  outcome_unknown: {
    status: 504,
    title: "Not confirmed in time; the event may still arrive",
    canRetry: true,
  },
} as const satisfies Record<string, { status: number; title: string; canRetry: boolean }>;

export type ProblemCode = keyof typeof problems;

/** Where the codes are explained; `type` of a problem is this with the code as fragment. */
export const PROBLEM_TYPE_BASE = "/openapi#";

/** One thing that is wrong with an event: where (RFC 6901 JSON pointer, `""` is the event itself) and what. */
export const ProblemError = Type.Object({
  pointer: Type.String({ description: "JSON pointer (RFC 6901) of the member", examples: ["/event_type"] }),
  message: Type.String({ description: "What is wrong and what is wanted" }),
});
export type ProblemError = Static<typeof ProblemError>;

export const Problem = Type.Object(
  {
    type: Type.String({ description: "URI reference of the kind of problem" }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: "What to change, for this very request" }),
    code: Type.Union(
      (Object.keys(problems) as ProblemCode[]).map((code) => Type.Literal(code)),
      { description: "The kind of problem, for programs" },
    ),
    event_id: Type.Optional(Type.String({ description: "The event this is about, where one is" })),
    errors: Type.Optional(Type.Array(ProblemError)),
  },
  { $id: "Problem", description: "RFC 9457 problem details" },
);
export type Problem = Static<typeof Problem>;

/** The body of a refusal: `code` decides type, title and status; `detail` tells this caller what to change. */
export function toProblem(
  code: ProblemCode,
  detail: string,
  more: { errors?: ProblemError[]; event_id?: string } = {},
): Problem {
  const { status, title } = problems[code];
  return { type: `${PROBLEM_TYPE_BASE}${code}`, title, status, detail, code, ...more };
}
