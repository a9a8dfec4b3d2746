// An event's record: the caller's own text, with the id and the time of receipt in front where it has none.
// Nothing is written anew, so numbers, order and repeated members stay as the caller sent them.
import type { EventInput } from "@ingest/contract";
import type { EncodedEvent } from "../delivery/index.ts";

/**
 * @param event what was read from `json`, and is an event
 * @param json from its `{` to its `}`; valid UTF-8 when it came, so that it is the same bytes again when it is written
 * @param receivedMs Unix ms
 */
export function encodeText(event: EventInput, json: string, receivedMs: number): EncodedEvent {
  const id = event.event_id ?? Bun.randomUUIDv7();
  const made = madeMembers(event, id, receivedMs);
  return { id, key: event.user_id ?? null, value: made === "" ? json : made + json.slice(1), receivedMs };
}

/**
 * As `encodeText`, for an event that is a part of a larger body, which its record must not keep in memory.
 * @param json the bytes of the body
 * @param start where the event's `{` is
 * @param end the byte after its `}`
 * @param text the same part as text, where each of its characters is a byte
 */
export function encodePart(
  event: EventInput,
  json: Buffer,
  start: number,
  end: number,
  text: string | undefined,
  receivedMs: number,
): EncodedEvent {
  const id = event.event_id ?? Bun.randomUUIDv7();
  const made = madeMembers(event, id, receivedMs);
  return { id, key: event.user_id ?? null, value: partValue(made, json, start, end, text), receivedMs };
}

function partValue(
  made: string,
  json: Buffer,
  start: number,
  end: number,
  text: string | undefined,
): string | Buffer {
  if (made === "") return Buffer.from(json.subarray(start, end));
  // Joined texts are copied where they are written first, and let go of their parts then.
  return text === undefined ? splice(made, json, start + 1, end) : made + text.slice(1);
}

/** What stands in front of the caller's first member; empty when the event has it all. ASCII only. */
function madeMembers({ event_id, timestamp }: EventInput, id: string, receivedMs: number): string {
  const made = event_id === undefined ? `{"event_id":"${id}",` : "";
  if (timestamp !== undefined) return made;
  return `${made === "" ? "{" : made}"timestamp":${receivedMs},`;
}

/** @param made ASCII only. At least one member follows it: an event has its type. */
function splice(made: string, json: Buffer, from: number, end: number): Buffer {
  const value = Buffer.allocUnsafe(made.length + end - from);
  value.write(made, 0, "latin1");
  json.copy(value, made.length, from, end);
  return value;
}
