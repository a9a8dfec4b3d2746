// The bodies of the event routes' responses, as schemas: shown in the OpenAPI document, checked by tests.
import { durabilities, Problem, ProblemError, problemCodes } from "@ingest/contract";
import { type Static, Type } from "@sinclair/typebox";

const eventId = Type.String({
  description: "The caller's own id, or the UUIDv7 that was generated for the event.",
  examples: ["019a2b3c-4d5e-7f60-8a1b-2c3d4e5f6071"],
});

export const Accepted = Type.Object(
  {
    status: Type.Union([Type.Literal("accepted"), Type.Literal("durable")], {
      description:
        "`accepted`: in the queue of the producer's Kafka client. `durable`: on the producer's disk, after fsync.",
    }),
    event_id: eventId,
  },
  { $id: "Accepted", description: "The event was taken." },
);
export type Accepted = Static<typeof Accepted>;

const position = {
  topic: Type.String(),
  partition: Type.Integer({ minimum: 0 }),
  offset: Type.Integer({ minimum: 0 }),
};

export const Stored = Type.Object(
  { status: Type.Literal("stored"), event_id: eventId, ...position },
  { $id: "Stored", description: "All in-sync replicas have the event, at this offset." },
);
export type Stored = Static<typeof Stored>;

export const EventResult = Type.Object(
  {
    index: Type.Integer({
      minimum: 0,
      description: "The event's place in the body, from 0; blank lines aren't counted.",
    }),
    status: Type.Union(
      ([...durabilities, "invalid", "retry", "unknown"] as const).map((status) => Type.Literal(status)),
      {
        description:
          "A durability: the event was taken. `invalid`: correct it first, see `errors`. `retry`: not taken, send it again later. `unknown`: not confirmed in time, it may still arrive; send it again with the same event_id.",
      },
    ),
    event_id: Type.Optional(eventId),
    code: Type.Optional(
      Type.Union(
        problemCodes.map((code) => Type.Literal(code)),
        { description: "Why it wasn't taken" },
      ),
    ),
    errors: Type.Optional(Type.Array(ProblemError)),
    retry_after_seconds: Type.Optional(
      Type.Integer({ minimum: 0, description: "With `retry`: when to try again" }),
    ),
    topic: Type.Optional(position.topic),
    partition: Type.Optional(position.partition),
    offset: Type.Optional(position.offset),
  },
  { $id: "EventResult", description: "The result of one event of a batch." },
);
export type EventResult = Static<typeof EventResult>;

const Results = Type.Object(
  { results: Type.Array(Type.Unsafe<EventResult>({ $ref: "#/components/schemas/EventResult" })) },
  { $id: "Results", description: "A result for each event, in the order in which they were sent." },
);

/** For the document. What is checked is stricter: `attributeProblems` in packages/contract. */
const CloudEvent = Type.Object(
  {
    specversion: Type.Literal("1.0"),
    id: Type.String({ minLength: 1, maxLength: 128, description: "The event_id; unique within its source." }),
    source: Type.String({ minLength: 1, description: "A URI-reference" }),
    type: Type.String({ minLength: 1, maxLength: 128, description: "The event_type" }),
    time: Type.Optional(Type.String({ format: "date-time" })),
    subject: Type.Optional(Type.String({ minLength: 1 })),
    datacontenttype: Type.Optional(
      Type.String({ description: "The media type of the data; JSON when absent" }),
    ),
    dataschema: Type.Optional(Type.String({ format: "uri" })),
    partitionkey: Type.Optional(
      Type.String({ minLength: 1, maxLength: 256, description: "The key of the record in Kafka" }),
    ),
    data: Type.Optional(Type.Unknown({ description: "Any JSON value; a string when its type is not JSON" })),
    data_base64: Type.Optional(Type.String({ description: "Binary data, in place of `data`" })),
  },
  {
    $id: "CloudEvent",
    additionalProperties: true,
    description:
      "A CloudEvent 1.0. Other members are extension attributes: names of a to z and digits; strings, booleans or 32-bit integers.",
  },
);

export const schemas = { Accepted, CloudEvent, Stored, EventResult, Results, Problem };
