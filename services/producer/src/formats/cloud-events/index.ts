// CloudEvents 1.0 over HTTP: the structured, batched and binary content modes (HTTP Protocol Binding).
import {
  attributeProblems,
  type CloudEventData,
  decodeHeaderValue,
  fromCloudEventJson,
  HTTP_PREFIX,
  isLongerThan,
  isNestedDeeper,
  MAX_EVENT_ID_LENGTH,
  type ProblemError,
  requiredAttributes,
  toBinaryData,
} from "@ingest/contract";
import type { Body, RequestHead } from "@ingest/http-server";
import type { EncodedEvent } from "../../delivery/index.ts";
import type { EventCheck } from "../../events/event-check.ts";
import { ACCEPT } from "../../http/content.ts";
import { Rejection } from "../../rejection.ts";
import type { DecodeLimits, EventFormat } from "../event-format.ts";
import { decodeElements, notUtf8, parse, tooDeep, withoutByteOrderMark } from "../json.ts";
import { createCloudEventEncoder, type ReadCloudEvent } from "./encode.ts";
import type { CloudEventSettings } from "./settings.ts";

export interface CloudEventFormats {
  readonly structured: EventFormat;
  readonly batched: EventFormat;
  /** The format of a request in the binary mode, or why its headers are not the attributes of a CloudEvent. */
  binary(head: RequestHead): EventFormat | Rejection;
}

const batchAsSingle = new Rejection(
  "unsupported_media_type",
  "One CloudEvent is sent as application/cloudevents+json, or with ce- headers; send a batch to /register_events.",
  ACCEPT,
);

/** Does a request have a header of an attribute that every CloudEvent has? */
export function isBinaryMode(head: RequestHead): boolean {
  return requiredAttributes.some((name) => head.get(HTTP_PREFIX + name) !== null);
}

export function createCloudEventFormats(
  settings: CloudEventSettings,
  limits: DecodeLimits,
): CloudEventFormats {
  const encoder = createCloudEventEncoder(settings, limits.maxEventBytes);

  function take(read: ReadCloudEvent, check: EventCheck | undefined): EncodedEvent | Rejection {
    const encoded = encoder.encode(read);
    if (encoded instanceof Rejection || check === undefined) return encoded;
    return check(encoded, encoder.toInput(read));
  }

  function decodeJson(
    parsed: unknown,
    json: string,
    receivedMs: number,
    check: EventCheck | undefined,
  ): EncodedEvent | Rejection {
    const event = fromCloudEventJson(parsed, json);
    if (Array.isArray(event)) return notACloudEvent(event, (parsed as { id?: unknown } | null)?.id);
    return take({ event, json, receivedMs }, check);
  }

  const structured = singleFormat((body, check) => {
    const text = body.toText();
    if (text === undefined) return notUtf8();
    const json = withoutByteOrderMark(text).trim();
    const parsed = parse(json, limits);
    return parsed instanceof Rejection ? parsed : decodeJson(parsed, json, Date.now(), check);
  });

  return {
    structured,
    batched: {
      decodeOne: () => batchAsSingle,
      // An empty batch is one (JSON Event Format, section 4).
      decodeMany: (body, _ids, check) => {
        const bytes = body.toBuffer();
        return decodeElements(bytes, "array", limits, (parsed, start, end, text, receivedMs) =>
          decodeJson(parsed, text ?? bytes.toString("utf8", start, end), receivedMs, check),
        );
      },
    },
    binary(head) {
      const attributes = readHeaders(head);
      if (attributes instanceof Rejection) return attributes;
      return singleFormat((body, check) => {
        const data = toBinaryData(Buffer.from(body.toBuffer()), attributes.get("datacontenttype"));
        if (typeof data === "string") return notItsType(data, attributes.get("id"));
        if (isTooDeep(data, limits)) return tooDeep(limits.maxJsonDepth);
        return take({ event: { attributes, data }, json: undefined, receivedMs: Date.now() }, check);
      });
    },
  };
}

/** A format whose bodies hold one event. On the route for many it is a batch of one. */
function singleFormat(
  decode: (body: Body, check: EventCheck | undefined) => EncodedEvent | Rejection,
): EventFormat {
  return {
    decodeOne: (body, _ids, check) => decode(body, check),
    decodeMany: (body, _ids, check) => [decode(body, check)],
  };
}

function readHeaders(head: RequestHead): ReadonlyMap<string, string> | Rejection {
  const attributes = new Map<string, string>();
  const problems: ProblemError[] = [];
  for (const [field, value] of head.fields) {
    if (!field.startsWith(HTTP_PREFIX)) continue;
    const name = field.slice(HTTP_PREFIX.length);
    const text = decodeHeaderValue(value);
    if (text === undefined) problems.push({ pointer: `/${name}`, message: "must be percent-encoded UTF-8" });
    attributes.set(name, text ?? "");
  }
  const contentType = head.get("content-type");
  if (attributes.has("datacontenttype") && attributes.get("datacontenttype") !== contentType)
    problems.push({
      pointer: "/datacontenttype",
      message: "must not be sent: Content-Type is the type of the data",
    });
  attributes.delete("datacontenttype");
  if (contentType !== null) attributes.set("datacontenttype", contentType);
  // An attribute that could not be read has no other problem to tell.
  const found = problems.length > 0 ? problems : attributeProblems(attributes);
  return found.length === 0 ? attributes : notACloudEvent(found, attributes.get("id"), toField);
}

function toField(pointer: string): string {
  return pointer === "/datacontenttype" ? "Content-Type" : HTTP_PREFIX + pointer.slice(1);
}

function notACloudEvent(
  errors: ProblemError[],
  id: unknown,
  toName = (pointer: string) => pointer || "The body",
): Rejection {
  const [first] = errors;
  const hasId = typeof id === "string" && id !== "" && !isLongerThan(id, MAX_EVENT_ID_LENGTH);
  return new Rejection("invalid_event", `${toName(first!.pointer)} ${first!.message}.`, {
    errors,
    ...(hasId && { eventId: id }),
  });
}

function notItsType(message: string, eventId: string | undefined): Rejection {
  const code = message.endsWith("UTF-8") ? "bad_encoding" : "not_json";
  return new Rejection(
    code,
    `${message[0]!.toUpperCase()}${message.slice(1)}.`,
    eventId === undefined ? {} : { eventId },
  );
}

function isTooDeep(data: CloudEventData | undefined, { maxJsonDepth }: DecodeLimits): boolean {
  // The event itself is the first level.
  return data?.kind === "json" && isNestedDeeper(data.value, maxJsonDepth - 1);
}
