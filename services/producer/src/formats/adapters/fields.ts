// Fields with texts, of a form or of a query → an event.
import type { EncodedEvent } from "../../delivery/index.ts";
import type { EventCheck } from "../../events/event-check.ts";
import { Rejection } from "../../rejection.ts";
import type { DecodeLimits, EventIds } from "../event-format.ts";
import { decodeEvent, tooLarge } from "../json.ts";
import type { JsonObject } from "./members.ts";

const members: readonly string[] = ["event_type", "event_id", "user_id", "timestamp"];

/**
 * @param text fields as `application/x-www-form-urlencoded`
 * @param reserved names of fields that are no part of the event
 */
export function decodeFields(
  text: string,
  reserved: readonly string[],
  limits: DecodeLimits,
  ids: EventIds | undefined,
  check: EventCheck | undefined,
): EncodedEvent | Rejection {
  const json = JSON.stringify(toEvent(new URLSearchParams(text), reserved));
  if (json.includes(REPLACEMENT) && !/\ufffd|%EF%BF%BD/i.test(text))
    return new Rejection("bad_encoding", "A field is not percent-encoded UTF-8.");
  const bytes = Buffer.byteLength(json);
  return bytes > limits.maxEventBytes ? tooLarge(bytes, limits) : decodeEvent(json, limits, ids, check);
}

/** What bytes that are not UTF-8 are decoded to. */
const REPLACEMENT = "\ufffd";

/** Members of an event have fields of their names; all others are members of the payload. A repeated field is an array. */
function toEvent(fields: URLSearchParams, reserved: readonly string[]): JsonObject {
  const fieldOf = (name: string) => {
    const values = fields.getAll(name);
    return values.length > 1 ? values : values[0];
  };
  const names = [...new Set(fields.keys())].filter(
    (name) => !reserved.includes(name) && !members.includes(name),
  );
  const timestamp = fieldOf("timestamp");
  return {
    event_type: fieldOf("event_type"),
    event_id: fieldOf("event_id"),
    user_id: fieldOf("user_id"),
    // A field can't be a number otherwise.
    timestamp: typeof timestamp === "string" && /^\d{1,16}$/.test(timestamp) ? Number(timestamp) : timestamp,
    payload: names.length === 0 ? undefined : Object.fromEntries(names.map((name) => [name, fieldOf(name)])),
  };
}
