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
 * @param event what was read from `json`, and is an event
 * @param json the bytes it was read from
 * @param start where its `{` is
 * @param end the byte after its `}`
 * @param receivedMs Unix ms
 */
export function encodeEvent(
  event: EventInput,
  json: Buffer,
  start: number,
  end: number,
  receivedMs: number,
): EncodedEvent {
  const id = event.event_id ?? Bun.randomUUIDv7();
  const made = madeMembers(event, id, receivedMs);
  const value = made === "" ? alone(json, start, end) : splice(made, json, start + 1, end);
  return { id, key: event.user_id ?? null, value, receivedMs };
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

/** What is kept until Kafka has it must not keep a larger body alive. */
function alone(json: Buffer, start: number, end: number): Buffer {
  return end - start === json.length ? json : Buffer.from(json.subarray(start, end));
}
