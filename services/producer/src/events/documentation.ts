// The event routes in the OpenAPI document. Its schemas are the ones that requests are checked against.
import { durabilities, type ProblemCode, problemCodes, problems, toProblem } from "@ingest/contract";
import type { DocumentDecoration } from "elysia";
import { IDEMPOTENCY_KEY_PATTERN } from "../http/idempotency-key.ts";
import { PREFER_PATTERN } from "../http/prefer.ts";

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: object) => ({ "application/json": { schema } });

const requestId = {
  "X-Request-Id": {
    description: "The id that the request had, or one made here; `instance` in the body contains it.",
    schema: { type: "string" as const },
  },
};
const retryAfter = {
  "Retry-After": { description: "Seconds until a retry can succeed.", schema: { type: "integer" as const } },
};
const rateLimits = {
  "RateLimit-Policy": {
    description:
      "The limits of the caller, if it has any: draft-ietf-httpapi-ratelimit-headers-11. Successful responses have it too.",
    schema: { type: "string" as const },
    example: '"events_per_second";q=100;w=1',
  },
  RateLimit: {
    description:
      "What is left within each limit, and for how many seconds. Successful responses have it too.",
    schema: { type: "string" as const },
    example: '"events_per_second";r=50;t=1',
  },
};
const headersByStatus: Readonly<Record<number, object>> = {
  429: { ...retryAfter, ...rateLimits },
  503: retryAfter,
};
const preferenceApplied = {
  "Preference-Applied": {
    description: "The preference that was applied, if the request had one.",
    schema: { type: "string" as const },
  },
};

/** Problems of requests that have no route. */
const withoutRoute: readonly ProblemCode[] = ["not_found", "method_not_allowed"];

/** A response for each status that a problem of these routes has, with an example of each code. */
const problemResponses = Object.fromEntries(
  [...Map.groupBy(problemCodes, (code) => problems[code].status)].flatMap(([status, codes]) => {
    const possible = codes.filter((code) => !withoutRoute.includes(code));
    return possible.length === 0 ? [] : [[String(status), documentProblem(status, possible)]];
  }),
);

function documentProblem(status: number, codes: readonly ProblemCode[]) {
  return {
    description: codes.map((code) => `\`${code}\`: ${problems[code].title}`).join("; "),
    headers: { ...requestId, ...headersByStatus[status] },
    content: {
      "application/problem+json": {
        schema: ref("Problem"),
        examples: Object.fromEntries(codes.map((code) => [code, toExample(code)])),
      },
    },
  };
}

function toExample(code: ProblemCode) {
  const { title, remedy } = problems[code];
  const errors = [{ pointer: "/event_type", message: "Expected string" }];
  return {
    summary: title,
    value: toProblem(code, remedy, code === "invalid_event" ? { errors } : {}),
  };
}

/**
 * Attributes of a CloudEvent in the binary mode; extensions have headers of other names that begin with `ce-`. None is
 * required by itself, and values are percent-encoded, so that a schema can't say more.
 */
const cloudEventHeaders = Object.entries({
  specversion: "The version of the CloudEvents specification: `1.0`.",
  id: "Becomes `event_id`.",
  source: "A URI-reference.",
  type: "Becomes `event_type`.",
  time: "Becomes `timestamp`.",
  subject: "What the event is about.",
  dataschema: "The URI of the data's schema.",
}).map(([name, description]) => ({
  name: `ce-${name}`,
  in: "header" as const,
  description: `${description} Only of a CloudEvent in the binary mode, which has the first four, percent-encoded.`,
  schema: { type: "string" as const },
}));

const parameters = [
  {
    name: "durability",
    in: "query" as const,
    description:
      "When the response is sent. `accepted`: the event is in the producer's memory. `durable`: it is on the producer's disk, after fsync. `stored`: all in-sync replicas have it.",
    schema: { type: "string" as const, enum: [...durabilities] },
  },
  {
    name: "Prefer",
    in: "header" as const,
    description:
      "The durability as a preference (RFC 7240); the query parameter takes precedence. An unknown durability is rejected with 400, other preferences are ignored.",
    schema: { type: "string" as const, pattern: PREFER_PATTERN },
    examples: { durable: { value: "durability=durable" } },
  },
  {
    name: "Idempotency-Key",
    in: "header" as const,
    description:
      "Gives events without an `event_id` the same ids whenever the same body is sent again under the same key, to any instance and at any time; consumers drop the duplicates by `event_id`. An event that differs gets another id, so a key that is used again by mistake loses nothing.",
    schema: { type: "string" as const, pattern: IDEMPOTENCY_KEY_PATTERN },
    examples: { uuid: { value: '"8e03978e-40d5-43e8-bc93-6894a57f9324"' } },
  },
  {
    name: "X-Request-Id",
    in: "header" as const,
    description:
      "Sent back in the response, and in every log line about the request: 1 to 128 characters of visible ASCII. Another value is ignored.",
    schema: { type: "string" as const },
  },
  ...cloudEventHeaders,
];

const encodingNote =
  "The body may be compressed: `Content-Encoding` gzip, deflate, br or zstd, or two of them one after the other. " +
  "CloudEvents may also be sent in the binary mode: with the headers `ce-specversion` (`1.0`), `ce-id`, `ce-source` and `ce-type`, a `ce-` header for each other attribute, and the data as the body in its own `Content-Type`.";

const example = { event_type: "page_view", user_id: "user-42", payload: { path: "/" } };

const cloudEventExample = {
  specversion: "1.0",
  id: "order-1",
  source: "/shop",
  type: "order.created",
  data: { total: 12 },
};

export const registerEventDetail: DocumentDecoration = {
  operationId: "registerEvent",
  summary: "Register one event",
  description:
    "Responds as soon as the event has the requested durability: by default, once it is in the queue to Kafka. " +
    encodingNote,
  tags: ["events"],
  parameters,
  requestBody: {
    required: true,
    content: {
      "application/json": { schema: ref("Event"), example },
      "application/cloudevents+json": { schema: ref("CloudEvent"), example: cloudEventExample },
    },
  },
  responses: {
    "201": { description: "Stored", headers: preferenceApplied, content: json(ref("Stored")) },
    "202": {
      description: "Accepted, or durable",
      headers: preferenceApplied,
      content: json(ref("Accepted")),
    },
    ...problemResponses,
  },
};

export const registerEventsDetail: DocumentDecoration = {
  operationId: "registerEvents",
  summary: "Register many events",
  description:
    "Each event has its own result: an event that is invalid or refused does not affect the others. " +
    "When no event was taken, the response is a problem with an additional member `results`: 422 when every event is invalid, otherwise 429, 503 or 504. " +
    encodingNote,
  tags: ["events"],
  parameters,
  requestBody: {
    required: true,
    content: {
      "application/json": {
        schema: { type: "array", minItems: 1, items: ref("Event") },
        example: [example],
      },
      "application/cloudevents+json": { schema: ref("CloudEvent"), example: cloudEventExample },
      "application/cloudevents-batch+json": {
        schema: { type: "array", items: ref("CloudEvent") },
        example: [cloudEventExample],
      },
      "application/x-ndjson": {
        schema: { type: "string", description: "One event per line" },
        example: `${JSON.stringify(example)}\n${JSON.stringify(example)}\n`,
      },
    },
  },
  responses: {
    "201": { description: "All stored", headers: preferenceApplied, content: json(ref("Results")) },
    "202": {
      description: "All accepted, or all durable",
      headers: preferenceApplied,
      content: json(ref("Results")),
    },
    "207": {
      description: "Mixed: see each result",
      headers: preferenceApplied,
      content: json(ref("Results")),
    },
    ...problemResponses,
  },
};

/** A route of an adapter: its product's documentation describes the body. */
export function adapterDetail(product: string, path: string): DocumentDecoration {
  // Clients send to a path with a slash at its end, too, which OpenAPI advises against.
  if (path.endsWith("/")) return { hide: true };
  return {
    operationId: `adapter${path.replace(/\W+/g, "_")}`,
    summary: `As ${product}'s SDKs send it`,
    description: `Takes what ${product}'s SDKs send to this path, and translates it into events.`,
    tags: ["events"],
    parameters,
    requestBody: { required: true, content: json({}) },
    responses: {
      "200": {
        description: "Taken. With a member `results` where some events are invalid.",
        headers: preferenceApplied,
        content: json({ type: "object" }),
      },
      ...problemResponses,
    },
  };
}

export const pixelDetail: DocumentDecoration = {
  operationId: "registerByPixel",
  summary: "Register one event by an image",
  description:
    "The parameters `event_type`, `event_id`, `user_id` and `timestamp` are members of the event, all others of its payload.",
  tags: ["events"],
  parameters: [
    {
      name: "event_type",
      in: "query",
      required: true,
      description: "The event's type.",
      schema: { type: "string" },
    },
  ],
  responses: {
    "200": {
      description: "A transparent image of one pixel, whatever becomes of the event.",
      content: { "image/gif": { schema: { type: "string", format: "binary" } } },
    },
    ...problemResponses,
  },
};
