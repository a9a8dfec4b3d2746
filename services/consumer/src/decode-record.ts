// Decodes a record to an event, whether it holds an event of this service or a CloudEvent: handlers get both in one shape.
import {
  ATTRIBUTE_PREFIX,
  type CloudEvent,
  contentModeOf,
  fromRecord,
  isLongerThan,
  isNestedDeeper,
  MAX_USER_ID_LENGTH,
} from "@ingest/contract";
import type { ConsumedRecord, RecordHeaders } from "@ingest/kafka";
import { type DecodedEvent, decode } from "./decode.ts";
import type { ConsumedEvent } from "./handler.ts";

type Source = Pick<ConsumedRecord, "headers" | "key" | "timestampMs" | "value">;

/** @returns the event, or the reason why the record holds none. Never throws. */
export function decodeRecord(record: Source, maxJsonDepth: number): DecodedEvent | string {
  const { headers, value } = record;
  if (headers.length === 0) return decode(value, maxJsonDepth);
  const mode = contentModeOf(headers);
  if (mode === undefined) return withAttributes(decode(value, maxJsonDepth), headers);
  const event = fromRecord(headers, value, mode);
  if (typeof event === "string") return event;
  // The event itself is the first level.
  if (event.data?.kind === "json" && isNestedDeeper(event.data.value, maxJsonDepth - 1))
    return `the value is nested more than ${maxJsonDepth} levels deep`;
  return toDecodedEvent(event, record);
}

/** Attributes that are members of the event, and so not repeated. */
const MEMBERS: ReadonlySet<string> = new Set(["id", "type", "time"]);

function toDecodedEvent({ attributes, data }: CloudEvent, { key, timestampMs }: Source): DecodedEvent {
  const cloudevent: Record<string, unknown> = {};
  for (const [name, value] of attributes) if (!MEMBERS.has(name)) cloudevent[name] = value;
  if (data?.kind === "bytes") cloudevent.data_base64 = data.bytes.toString("base64");
  const userId = toUserId(key);
  const head = {
    event_id: attributes.get("id") as string,
    event_type: attributes.get("type") as string,
    ...(userId !== undefined && { user_id: userId }),
    timestamp: (attributes.get("time") as string | undefined) ?? Math.max(timestampMs, 0),
  };
  const start = `${JSON.stringify(head).slice(0, -1)},`;
  const end = `"cloudevent":${JSON.stringify(cloudevent)}}`;
  if (data === undefined || data.kind === "bytes")
    return { event: { ...head, cloudevent }, text: start + end };
  const [payload, json] =
    data.kind === "json" ? [data.value, data.text.trim()] : [data.text, JSON.stringify(data.text)];
  return { event: { ...head, payload, cloudevent }, text: `${start}"payload":${json},${end}` };
}

/** The producer's key is one; that of another writer may be anything. */
function toUserId(key: Buffer | null): string | undefined {
  const text = key?.toString();
  return text && !isLongerThan(text, MAX_USER_ID_LENGTH) ? text : undefined;
}

/** A CloudEvent that was written as an event has its other attributes in headers. */
function withAttributes(decoded: DecodedEvent | string, headers: RecordHeaders): DecodedEvent | string {
  if (typeof decoded === "string") return decoded;
  const attributes = headers.filter(([name, value]) => name.startsWith(ATTRIBUTE_PREFIX) && value !== null);
  if (attributes.length === 0) return decoded;
  const cloudevent = Object.fromEntries(
    attributes.map(([name, value]) => [name.slice(ATTRIBUTE_PREFIX.length), String(value)]),
  );
  const event: ConsumedEvent = { ...decoded.event, cloudevent };
  return {
    event,
    text: `${decoded.text.trimEnd().slice(0, -1)},"cloudevent":${JSON.stringify(cloudevent)}}`,
  };
}
