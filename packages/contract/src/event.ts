// The event schema: the API checks events against it, the OpenAPI document shows it, and the consumer checks records
// against it.
import { type Static, Type } from "@sinclair/typebox";
import "./date-time.ts";

/** The greatest length of an event_id, in Unicode code points. */
export const MAX_EVENT_ID_LENGTH = 128;
/** Likewise of an event_type. */
export const MAX_EVENT_TYPE_LENGTH = 128;
/** Likewise of a user_id. */
export const MAX_USER_ID_LENGTH = 256;

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
      "When the event happened: an RFC 3339 string or Unix milliseconds. Default: the time of receipt.",
  },
);

/** An event as a caller sends it. */
export const EventInput = Type.Object(
  {
    event_type: Type.String({
      minLength: 1,
      maxLength: MAX_EVENT_TYPE_LENGTH,
      description: "The type of the event.",
      examples: ["page_view"],
    }),
    event_id: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: MAX_EVENT_ID_LENGTH,
        description: "The caller's own id. Default: a generated UUIDv7. The response returns it.",
      }),
    ),
    user_id: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: MAX_USER_ID_LENGTH,
        description: "The user. It is the record's key, so that the events of one user stay in order.",
        examples: ["user-42"],
      }),
    ),
    timestamp: Type.Optional(EventTimestamp),
    // An object with any members. The check of a `Type.Record` would iterate over all of them.
    payload: Type.Optional(
      Type.Unsafe<Record<string, unknown>>(
        Type.Object({}, { additionalProperties: true, description: "Any other data, as a JSON object." }),
      ),
    ),
    schema_version: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
        description: "The version of the payload's schema. Default: the newest.",
        examples: [2],
      }),
    ),
  },
  { $id: "Event", additionalProperties: false, description: "One event." },
);
export type EventInput = Static<typeof EventInput>;

/** An event as it is stored in the topic: with an id and a timestamp. */
export const StoredEvent = Type.Composite(
  [
    Type.Omit(EventInput, ["event_id", "timestamp"]),
    Type.Object({
      event_id: Type.String({ minLength: 1, maxLength: MAX_EVENT_ID_LENGTH }),
      timestamp: EventTimestamp,
    }),
  ],
  { $id: "StoredEvent", additionalProperties: false },
);
export type StoredEvent = Static<typeof StoredEvent>;
