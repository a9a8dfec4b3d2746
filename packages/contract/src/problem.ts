// The problems that the API returns: one table of codes, and the RFC 9457 body made from it.
import { type Static, Type } from "@sinclair/typebox";

/** One row of the table. */
interface ProblemKind {
  status: number;
  title: string;
  /** The same request can succeed later. */
  canRetry: boolean;
  /** The possible causes; Markdown. */
  cause: string;
  /** What callers can do, then what operators can do; Markdown. */
  remedy: string;
  /** Delivery refuses events with this code. */
  refusal?: {
    /** The problem's `detail`, unless the refusal has one of its own. */
    detail: string;
    /** When a retry can succeed; absent where a retry cannot help. */
    retryAfterSeconds?: number;
  };
}

/** By code, ordered by status. docs/problems.md and the OpenAPI document are generated from it. */
export const problems = {
  not_http: {
    status: 400,
    title: "The request is not HTTP/1.1",
    canRetry: false,
    cause: "The bytes of the request break the syntax of HTTP/1.1. The connection is closed.",
    remedy: "Send the request with an HTTP library; check whether a proxy in between changes it.",
  },
  not_json: {
    status: 400,
    title: "The body is not JSON",
    canRetry: false,
    cause: "The body is empty, or a JSON parser rejects it at the place that `detail` names.",
    remedy: "Serialize the body with a JSON library.",
  },
  bad_encoding: {
    status: 400,
    title: "The body could not be decoded",
    canRetry: false,
    cause:
      "The body is not UTF-8, not what its `Content-Encoding` declares, or not chunked as HTTP/1.1 requires.",
    remedy: "Send UTF-8, and a `Content-Encoding` that names the compression in use, or none.",
  },
  bad_parameter: {
    status: 400,
    title: "A parameter or header is not valid",
    canRetry: false,
    cause:
      "A query parameter is unknown, or a query parameter or header has a value that is not allowed, such as an unknown durability.",
    remedy: "Correct the parameter that `detail` names.",
  },
  missing_api_key: {
    status: 401,
    title: "The request has no key",
    canRetry: false,
    cause: "This service takes events only from callers that it knows, and the request names none.",
    remedy:
      "Send the key as `Authorization: Bearer KEY` or `X-API-Key: KEY`. Operators make one with `bun run callers new-key`.",
  },
  invalid_api_key: {
    status: 401,
    title: "The key is not valid",
    canRetry: false,
    cause:
      "The key is unknown, has expired, or is sent in the query without `in_query`; `detail` says which.",
    remedy: "Send a valid key. Operators list its SHA-256 in `CALLERS_FILE`, and when it expires.",
  },
  durability_not_allowed: {
    status: 403,
    title: "The caller may not ask for this durability",
    canRetry: false,
    cause: "The request asks for a higher durability than the `max_durability` of its caller.",
    remedy: "Ask for a lower durability, or none. Operators raise `max_durability` in `CALLERS_FILE`.",
  },
  topic_not_allowed: {
    status: 403,
    title: "The caller may not send to this topic",
    canRetry: false,
    cause: "The topic of the event is not among the `topics` of the caller.",
    remedy: "Check the key in use. Operators extend `topics` in `CALLERS_FILE`.",
  },
  event_type_not_allowed: {
    status: 403,
    title: "The caller may not send this event type",
    canRetry: false,
    cause: "The event's `event_type` is not among the `event_types` of the caller.",
    remedy: "Check the event's type and the key in use. Operators extend `event_types` in `CALLERS_FILE`.",
  },
  origin_not_allowed: {
    status: 403,
    title: "Pages of this origin may not send this",
    canRetry: false,
    cause:
      "A page of another origin sent a body without `Content-Type`, as any page on the web can without asking this service first; or its origin is not among those of its caller.",
    remedy:
      "Send `Content-Type: application/json`. Operators list the page's origin in `CORS_ALLOWED_ORIGINS`, or in the caller's `origins` in `CALLERS_FILE`.",
  },
  not_found: {
    status: 404,
    title: "Nothing exists at this path",
    canRetry: false,
    cause: "The path is misspelled, or has a trailing slash. Paths are case-sensitive.",
    remedy: "See `/openapi` for the paths.",
  },
  method_not_allowed: {
    status: 405,
    title: "Method not allowed at this path",
    canRetry: false,
    cause: "The path exists for other methods, which the `Allow` header lists.",
    remedy: "Use one of them. Events are sent with POST.",
  },
  request_timeout: {
    status: 408,
    title: "The request did not arrive in time",
    canRetry: true,
    cause:
      "The head took longer than `HEAD_TIMEOUT_MS`, or for `BODY_TIMEOUT_MS` the body came at less than `MIN_BODY_RATE` bytes a second. The connection is closed.",
    remedy: "Send it again, in smaller batches over a slow network.",
  },
  too_large: {
    status: 413,
    title: "The body or the event is too large",
    canRetry: false,
    cause:
      "The body exceeds `MAX_BODY_BYTES`, an event exceeds `MAX_EVENT_BYTES` (both count decompressed), a batch exceeds `MAX_BATCH_EVENTS`, or a record exceeds Kafka's limit.",
    remedy: "Split the batch or shrink the event. Operators can raise the limit.",
    refusal: { detail: "The event is larger than Kafka takes." },
  },
  uri_too_long: {
    status: 414,
    title: "The request target is too long",
    canRetry: false,
    cause: "The path and the query exceed 8 KiB.",
    remedy: "Send events in the body; a query holds only the parameters that `/openapi` lists.",
  },
  unsupported_media_type: {
    status: 415,
    title: "This content type or encoding is not supported",
    canRetry: false,
    cause: "`Content-Type`, its charset, or `Content-Encoding` is one that this path does not take.",
    remedy:
      "Send `application/json` in UTF-8, or `application/x-ndjson` to `/register_events`; compress with gzip, deflate, br or zstd.",
  },
  expectation_failed: {
    status: 417,
    title: "The expectation can't be met",
    canRetry: false,
    cause: "`Expect` contains something other than `100-continue`.",
    remedy: "Leave the `Expect` header out.",
  },
  invalid_event: {
    status: 422,
    title: "The body is not an event",
    canRetry: false,
    cause:
      "The JSON does not match the event schema: a member is missing, unknown, or of a wrong type or length.",
    remedy: "Correct each member that `errors` points to.",
  },
  key_required: {
    status: 422,
    title: "The event needs a `user_id`",
    canRetry: false,
    cause:
      "The topic is compacted (`cleanup.policy`), so each of its records needs a key, and `user_id` is the key.",
    remedy: "Send a `user_id`. Operators can choose a topic whose `cleanup.policy` is `delete`.",
    refusal: { detail: "The topic is compacted: an event without user_id can't be stored in it." },
  },
  event_rejected: {
    status: 422,
    title: "Kafka rejects the event",
    canRetry: false,
    cause:
      "A rule of the topic or the cluster forbids this record, whenever it is sent: on a compacted topic, an event without `user_id` has no key.",
    remedy: "Operators find the rule in the log of the producer and of the broker.",
    refusal: { detail: "A rule of the topic or the cluster forbids this event." },
  },
  schema_violation: {
    status: 422,
    title: "The schema of the event's type does not allow it",
    canRetry: false,
    cause:
      "The payload does not match the JSON Schema of its `event_type` and `schema_version`, or there is no schema of that version.",
    remedy:
      "Correct each member that `errors` points to. `/openapi/schemas` lists the schemas. Operators find them in `SCHEMA_DIR`, or in the schema registry.",
  },
  unknown_event_type: {
    status: 422,
    title: "The event's type has no schema",
    canRetry: false,
    cause: "`SCHEMA_UNKNOWN_TYPES` is `reject`, and no schema is named after the `event_type`.",
    remedy:
      "Correct `event_type`; `/openapi/schemas` lists the types. Operators add a schema to `SCHEMA_DIR`, or to the schema registry.",
  },
  rate_limited: {
    status: 429,
    title: "The caller sends faster than it may",
    canRetry: true,
    cause:
      "The caller has used up its `events_per_second` or `bytes_per_second` and the burst. In a batch, the events before it were taken.",
    remedy:
      "Send it again after `Retry-After`, and keep to the rate in `RateLimit-Policy`. Operators raise the caller's `limits` in `CALLERS_FILE`.",
  },
  quota_exceeded: {
    status: 429,
    title: "The caller has used up its quota of the day",
    canRetry: true,
    cause: "The caller has sent its `events_per_day` or `bytes_per_day`. A day is one of UTC.",
    remedy:
      "Send it again after `Retry-After`, which is tomorrow. Operators raise the caller's quota in `CALLERS_FILE`.",
  },
  head_too_large: {
    status: 431,
    title: "The head of the request is too large",
    canRetry: false,
    cause: "The request line and the headers exceed 16 KiB, or there are more than a hundred headers.",
    remedy: "Send fewer and shorter headers; cookies are usually the cause.",
  },
  internal: {
    status: 500,
    title: "Unexpected error in this service",
    canRetry: true,
    cause: "The service failed in a way that it does not expect. Its log contains the reason.",
    remedy: "Send it again with the same `event_id`. Operators find the error in the log, at level error.",
  },
  not_implemented: {
    status: 501,
    title: "This method or transfer encoding is not implemented",
    canRetry: false,
    cause:
      "The method is CONNECT or has more than 32 characters, or `Transfer-Encoding` contains something other than `chunked`.",
    remedy:
      "Send events with POST, with a `Content-Length` or chunks alone; compress by `Content-Encoding`. A client that sends CONNECT takes this service for its proxy.",
  },
  journal_full: {
    status: 503,
    title: "Kafka is unavailable and the journal is full",
    canRetry: true,
    cause:
      "Kafka has not taken events for so long that the journal has reached `JOURNAL_MAX_BYTES` or `JOURNAL_MAX_AGE_MS`.",
    remedy: "Send it again after `Retry-After`. Operators restore Kafka, or enlarge the journal.",
    refusal: {
      detail:
        "Kafka is unavailable, and the journal is full of events that wait for it: send it again after Retry-After.",
      retryAfterSeconds: 5,
    },
  },
  journal_unavailable: {
    status: 503,
    title: "The journal can't be written",
    canRetry: true,
    cause:
      "The disk of the journal is full or failing, or the request asks for `durable` and the journal is disabled.",
    remedy:
      "Send it again after `Retry-After`, or with another durability. Operators check the disk at `JOURNAL_DIR`.",
    refusal: {
      detail:
        "The journal can't be written, or is disabled: send it again after Retry-After, or with another durability.",
      retryAfterSeconds: 5,
    },
  },
  events_waiting: {
    status: 503,
    title: "Older events are still being sent",
    canRetry: true,
    cause:
      "Events wait in the journal, after an outage or because Kafka took them too slowly, and are sent in order; or so many wait in memory, after Kafka has refused a batch, that no more may. A `stored` event may neither overtake them nor wait there beyond its deadline.",
    remedy:
      "Send it again after `Retry-After`, or with another durability. `ingest_journal_records` shows how many wait.",
    refusal: {
      detail:
        "Older events are still being sent to Kafka: send it again after Retry-After, or with another durability.",
      retryAfterSeconds: 1,
    },
  },
  kafka_misconfigured: {
    status: 503,
    title: "Kafka rejects events because of a setting",
    canRetry: true,
    cause:
      "A right is missing, a clock is wrong, or a setting of the topic, the cluster or this service doesn't fit; `detail` says which. The event itself is not at fault.",
    remedy:
      "Send it again after `Retry-After`. Operators change what `detail` names; `/health/ready` and the log name it too. Events in the journal are sent then.",
    refusal: {
      detail: "A setting keeps Kafka from storing events: send it again after Retry-After.",
      retryAfterSeconds: 10,
    },
  },
  kafka_unavailable: {
    status: 503,
    title: "Kafka is unavailable",
    canRetry: true,
    cause:
      "The event can't go to the journal (durability `stored`, or no journal), and Kafka is unreachable.",
    remedy: "Send it again after `Retry-After`. `/health/ready` and the log describe the state of Kafka.",
    refusal: {
      detail: "No Kafka broker is reachable: send it again after Retry-After.",
      retryAfterSeconds: 2,
    },
  },
  overloaded: {
    status: 503,
    title: "Too many requests at once",
    canRetry: true,
    cause: "`MAX_IN_FLIGHT_REQUESTS`, `MAX_IN_FLIGHT_BYTES` or `MAX_CONNECTIONS` is reached.",
    remedy:
      "Send it again after `Retry-After`; send batches rather than single events, over fewer connections.",
  },
  queue_full: {
    status: 503,
    title: "The queue to Kafka is full",
    canRetry: true,
    cause: "Events arrive faster than Kafka takes them, and there is no journal to keep them.",
    remedy:
      "Send it again after `Retry-After`. Operators raise `KAFKA_QUEUE_BUFFERING_MAX_KBYTES`, or enable the journal.",
    refusal: {
      detail: "Events arrive faster than Kafka accepts them: send it again after Retry-After.",
      retryAfterSeconds: 1,
    },
  },
  shutting_down: {
    status: 503,
    title: "This server is stopping",
    canRetry: true,
    cause: "The process has received SIGTERM, or another signal to stop.",
    remedy: "Send it again after `Retry-After`: another instance takes it, or this one after its restart.",
    refusal: {
      detail: "This server is stopping: send it again after Retry-After, to another server.",
      retryAfterSeconds: 1,
    },
  },
  outcome_unknown: {
    status: 504,
    title: "Not confirmed in time; the event may still arrive",
    canRetry: true,
    cause:
      "The fsync (`durable`) failed or timed out, or Kafka (`stored`) did not confirm the event within `STORED_DEADLINE_MS`.",
    remedy: "Send it again with the same `event_id`, so that consumers can drop the duplicate.",
  },
  version_not_supported: {
    status: 505,
    title: "This version of HTTP is not supported",
    canRetry: false,
    cause: "The request line names a major version other than HTTP/1.",
    remedy: "Send HTTP/1.1.",
  },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof problems;

type ProblemTable = typeof problems;

/** The codes with which delivery refuses events. */
export type RefusalCode = {
  [Code in ProblemCode]: ProblemTable[Code] extends { refusal: object } ? Code : never;
}[ProblemCode];

export const problemCodes = Object.keys(problems) as ProblemCode[];

/** A problem's `type`: the path at which the producer explains the code. */
export function problemType(code: ProblemCode): string {
  return `/problems/${code}`;
}

/** One problem of an event: the member's JSON pointer (RFC 6901; `""` is the event itself), and the message. */
export const ProblemError = Type.Object({
  pointer: Type.String({ description: "JSON pointer (RFC 6901) of the member", examples: ["/event_type"] }),
  message: Type.String({ description: "What is wrong, and what is expected" }),
});
export type ProblemError = Static<typeof ProblemError>;

export const Problem = Type.Object(
  {
    type: Type.String({ description: "URI reference of the kind of problem; it leads to cause and remedy" }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: "What is wrong with this request, and what to change" }),
    code: Type.Union(
      problemCodes.map((code) => Type.Literal(code)),
      { description: "The kind of problem, machine-readable" },
    ),
    instance: Type.Optional(
      Type.String({ description: "Names the request: `urn:request:` and its `X-Request-Id`" }),
    ),
    event_id: Type.Optional(Type.String({ description: "The id of the event concerned, if any" })),
    errors: Type.Optional(Type.Array(ProblemError)),
  },
  { $id: "Problem", description: "RFC 9457 problem details" },
);
export type Problem = Static<typeof Problem>;

/** The body of a problem response. `code` determines type, title and status; `detail` is about this request. */
export function toProblem(
  code: ProblemCode,
  detail: string,
  more: { errors?: ProblemError[]; event_id?: string } = {},
): Problem {
  const { status, title } = problems[code];
  return { type: problemType(code), title, status, detail, code, ...more };
}
