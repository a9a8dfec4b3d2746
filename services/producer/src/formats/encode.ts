// An event → its record's value: the caller's JSON, with an id and a timestamp inserted at the front where they are
// missing. Nothing is serialized again, so numbers, the order of members and duplicate members stay as sent.
import type { EventInput } from "@ingest/contract";
import type { EncodedEvent } from "../delivery/index.ts";
import type { EventIds } from "./event-format.ts";

/**
 * @param event the parsed and checked `json`
 * @param json from `{` to `}`. Decoded from valid UTF-8, so that encoding it gives the same bytes again
 * @param receivedMs Unix ms
 * @param ids by default random ids
 */
export function encodeText(
  event: EventInput,
  json: string,
  receivedMs: number,
  ids?: EventIds,
): EncodedEvent {
  const id = event.event_id ?? ids?.idOf(0, json) ?? Bun.randomUUIDv7();
  const added = addedMembers(event, id, receivedMs);
  return { id, key: event.user_id ?? null, value: added === "" ? json : added + json.slice(1), receivedMs };
}

/**
 * As `encodeText`, for an event that is a part of a larger body. Its value keeps no reference to that body.
 * @param json the body
 * @param start the offset of the event's `{`
 * @param end the offset after its `}`
 * @param text the same part as text, when it is ASCII
 * @param index its place among the events of the body, from 0
 */
export function encodePart(
  event: EventInput,
  json: Buffer,
  start: number,
  end: number,
  text: string | undefined,
  receivedMs: number,
  index: number,
  ids: EventIds | undefined,
): EncodedEvent {
  const id = event.event_id ?? ids?.idOf(index, text ?? json.subarray(start, end)) ?? Bun.randomUUIDv7();
  const added = addedMembers(event, id, receivedMs);
  return { id, key: event.user_id ?? null, value: toValue(added, json, start, end, text), receivedMs };
}

function toValue(
  added: string,
  json: Buffer,
  start: number,
  end: number,
  text: string | undefined,
): string | Buffer {
  if (added === "") return Buffer.from(json.subarray(start, end));
  // A concatenation is flattened when it is written, and releases its parts then.
  return text === undefined ? splice(added, json, start + 1, end) : added + text.slice(1);
}

/** The text before the caller's first member; empty when the event has an id and a timestamp. ASCII only. */
function addedMembers({ event_id, timestamp }: EventInput, id: string, receivedMs: number): string {
  const added = event_id === undefined ? `{"event_id":"${id}",` : "";
  if (timestamp !== undefined) return added;
  return `${added === "" ? "{" : added}"timestamp":${receivedMs},`;
}

/** @param added ASCII only. At least one member follows it: `event_type` is required. */
function splice(added: string, json: Buffer, from: number, end: number): Buffer {
  const value = Buffer.allocUnsafe(added.length + end - from);
  value.write(added, 0, "latin1");
  json.copy(value, added.length, from, end);
  return value;
}
