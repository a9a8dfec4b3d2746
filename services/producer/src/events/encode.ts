// An event's record: the caller's own bytes, with the id and the time of receipt in front where it has none.
// Nothing is written anew, so numbers, order and repeated members stay as the caller sent them.
import type { EventInput } from "@ingest/contract";
import type { EncodedEvent } from "../delivery/index.ts";

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
  const { event_id, user_id: key = null } = event;
  const id = event_id ?? Bun.randomUUIDv7();
  let made = event_id === undefined ? `{"event_id":"${id}",` : "";
  if (event.timestamp === undefined) made += `${made === "" ? "{" : ""}"timestamp":${receivedMs},`;
  const value = made === "" ? alone(json, start, end) : splice(made, json, start + 1, end);
  return { id, key, value, receivedMs };
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
