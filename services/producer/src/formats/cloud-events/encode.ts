// A CloudEvent → its record: binary, structured, or as an event of this service. Nothing of it is dropped in any of them.
import {
  ATTRIBUTE_PREFIX,
  type CloudEvent,
  CONTENT_TYPE_HEADER,
  type EventInput,
  isLongerThan,
  MAX_USER_ID_LENGTH,
  STRUCTURED_JSON,
  toBinaryHeaders,
  toCloudEventJson,
} from "@ingest/contract";
import type { EncodedEvent } from "../../delivery/index.ts";
import { Rejection } from "../../rejection.ts";
import type { CloudEventSettings } from "./settings.ts";

/** A CloudEvent as this service names its parts, for the checks of events. */
export interface ReadCloudEvent {
  readonly event: CloudEvent;
  /** Its text in the JSON format, if it came in that. */
  readonly json: string | undefined;
  readonly receivedMs: number;
}

type Headers = (readonly [name: string, value: string])[];

export interface CloudEventEncoder {
  /** @returns the record, or why the event is not taken */
  encode(read: ReadCloudEvent): EncodedEvent | Rejection;
  /** What its payload is checked as. */
  toInput(read: ReadCloudEvent): EventInput;
}

const STRUCTURED_HEADERS: Headers = [[CONTENT_TYPE_HEADER, STRUCTURED_JSON]];

/** Attributes that are members of an event of this service, or say how the event was sent. */
const MEMBERS: ReadonlySet<string> = new Set(["specversion", "id", "type", "time"]);

/** Most bytes of the two lengths of a header in a record (Kafka's record format, version 2): varints. */
const HEADER_FRAMING_BYTES = 10;

/** @param maxBytes of a record's value and headers */
export function createCloudEventEncoder(settings: CloudEventSettings, maxBytes: number): CloudEventEncoder {
  const { CLOUDEVENTS_OUTPUT: output, CLOUDEVENTS_KEY: keyAttribute } = settings;

  function keyOf({ attributes }: CloudEvent): string | null {
    const key =
      attributes.get("partitionkey") ?? (keyAttribute === "subject" ? attributes.get("subject") : undefined);
    return key === undefined ? null : String(key);
  }

  function toRecord(
    { event, json, receivedMs }: ReadCloudEvent,
    key: string | null,
  ): { value: string | Buffer; headers: Headers } | Rejection {
    if (output === "event") return toOwnEvent(event, key, receivedMs);
    const data = toBytes(event);
    // A record without a value would be a tombstone in a compacted topic, so the binding leaves it to the other mode.
    if (output === "binary" && data.length > 0) return { value: data, headers: toBinaryHeaders(event) };
    return { value: Buffer.from(json ?? toCloudEventJson(event)), headers: STRUCTURED_HEADERS };
  }

  return {
    encode(read) {
      const id = idOf(read.event);
      const key = keyOf(read.event);
      if (key !== null && isLongerThan(key, MAX_USER_ID_LENGTH))
        return invalid(
          "/subject",
          `is longer than ${MAX_USER_ID_LENGTH} characters, and is the record's key`,
          id,
        );
      const record = toRecord(read, key);
      if (record instanceof Rejection) return record;
      const { value, headers } = record;
      const bytes = headers.reduce(
        (sum, [name, text]) => sum + name.length + Buffer.byteLength(text) + HEADER_FRAMING_BYTES,
        Buffer.byteLength(value),
      );
      if (bytes > maxBytes)
        return new Rejection(
          "too_large",
          `The event has ${bytes} bytes as a record; the limit is ${maxBytes}.`,
          { eventId: id },
        );
      return { id, key, value, receivedMs: read.receivedMs, ...(headers.length > 0 && { headers }) };
    },
    toInput({ event, receivedMs }) {
      const { attributes, data } = event;
      const key = keyOf(event);
      const payload = data?.kind === "json" ? data.value : data?.kind === "text" ? data.text : undefined;
      return {
        event_type: attributes.get("type") as string,
        event_id: idOf(event),
        ...(key !== null && { user_id: key }),
        timestamp: (attributes.get("time") as string | undefined) ?? receivedMs,
        // The data of a CloudEvent is any JSON value; a schema is checked against whatever it is.
        ...(payload !== undefined && { payload: payload as Record<string, unknown> }),
      };
    },
  };
}

function idOf({ attributes }: CloudEvent): string {
  return attributes.get("id") as string;
}

/** The bytes of the data; none when there is no data. Copies, so that no larger text is kept for it. */
function toBytes({ data }: CloudEvent): Buffer {
  if (data === undefined) return Buffer.alloc(0);
  return data.kind === "bytes" ? data.bytes : Buffer.from(data.text);
}

/** Attributes that an event has no member for become headers. */
function toOwnEvent(
  { attributes, data }: CloudEvent,
  key: string | null,
  receivedMs: number,
): { value: Buffer; headers: Headers } | Rejection {
  const id = attributes.get("id") as string;
  const isObject = data?.kind === "json" && typeof data.value === "object" && data.value !== null;
  if (data !== undefined && !(isObject && !Array.isArray(data.value)))
    return invalid("/data", "must be a JSON object, because CLOUDEVENTS_OUTPUT is event", id);
  const members = [
    `"event_id":${JSON.stringify(id)}`,
    `"event_type":${JSON.stringify(attributes.get("type"))}`,
    ...(key === null ? [] : [`"user_id":${JSON.stringify(key)}`]),
    `"timestamp":${JSON.stringify(attributes.get("time") ?? receivedMs)}`,
    ...(data?.kind === "json" ? [`"payload":${data.text}`] : []),
  ];
  const headers: Headers = [];
  for (const [name, value] of attributes) {
    const isImplied = MEMBERS.has(name) || (name === "datacontenttype" && value === "application/json");
    if (!isImplied) headers.push([ATTRIBUTE_PREFIX + name, String(value)]);
  }
  return { value: Buffer.from(`{${members.join(",")}}`), headers };
}

function invalid(pointer: string, message: string, eventId: string): Rejection {
  return new Rejection("invalid_event", `${pointer} ${message}.`, {
    errors: [{ pointer, message }],
    eventId,
  });
}
