// What an event is: the one schema that the API checks, the OpenAPI page shows and the consumer reads back.
import { type Static, Type } from "@sinclair/typebox";
import "./date-time.ts";

/** The greatest Unix time in milliseconds that a JavaScript `Date` can hold (ECMA-262, time values). */
const MAX_UNIX_MS = 8.64e15;

const EventTimestamp = Type.Union(
  [
    Type.String({
      format: "date-time",
      maxLength: 64,
      description: "RFC 3339",
      examples: ["2026-01-31T12:00:00.000Z"],
    }),
    Type.Integer({
      minimum: 0,
      maximum: MAX_UNIX_MS,
      description: "Unix time, ms",
      examples: [1769860800000],
    }),
  ],
  {
    description:
      "When it happened: an RFC 3339 string or Unix milliseconds. The time of receipt when absent.",
  },
);

/** An event as a caller sends it. */
export const EventInput = Type.Object(
  {
    event_type: Type.String({
      minLength: 1,
      maxLength: 128,
      description: "What happened.",
      examples: ["page_view"],
    }),
    event_id: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 128,
        description: "The caller's own id. A UUIDv7 is made when absent; the answer returns it.",
      }),
    ),
    user_id: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        description:
          "Whose event it is. The record's key when given, so that one user's events stay in order.",
        examples: ["user-42"],
      }),
    ),
    timestamp: Type.Optional(EventTimestamp),
    // An object of any members. As a record of strings to unknowns its check would look at every name.
    payload: Type.Optional(
      Type.Unsafe<Record<string, unknown>>(
        Type.Object({}, { additionalProperties: true, description: "Anything else, as a JSON object." }),
      ),
    ),
  },
  { $id: "Event", additionalProperties: false, description: "One event." },
);
export type EventInput = Static<typeof EventInput>;

/** An event as it stands in the topic: id and timestamp are always there. */
export const StoredEvent = Type.Composite(
  [
    Type.Omit(EventInput, ["event_id", "timestamp"]),
    Type.Object({ event_id: Type.String({ minLength: 1, maxLength: 128 }), timestamp: EventTimestamp }),
  ],
  { $id: "StoredEvent", additionalProperties: false },
);
export type StoredEvent = Static<typeof StoredEvent>;
