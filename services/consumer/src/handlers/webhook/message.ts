// What the webhook posts: an event's JSON, or a CloudEvent in the content mode of its record (CloudEvents 1.0, HTTP Protocol
// Binding).
import {
  ATTRIBUTE_PREFIX,
  CONTENT_TYPE_HEADER,
  contentModeOf,
  encodeHeaderValue,
  HTTP_PREFIX,
  isJsonContentType,
  STRUCTURED_JSON,
  withoutWirePrefix,
} from "@ingest/contract";
import { lastHeader } from "@ingest/kafka";
import type { EventContext } from "../../handler.ts";

export interface WebhookMessage {
  readonly body: string | Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export function toMessage({ headers, text, value }: EventContext): WebhookMessage {
  const mode = headers.length === 0 ? undefined : contentModeOf(headers);
  if (mode === undefined) return { body: text, headers: { "content-type": "application/json" } };
  // Only its JSON format is decoded, so it is that one, however the record's writer spelled it.
  if (mode === "structured")
    return { body: toJsonBytes(value), headers: { [CONTENT_TYPE_HEADER]: STRUCTURED_JSON } };
  const contentType = lastHeader(headers, CONTENT_TYPE_HEADER)?.toString("latin1");
  const fields: Record<string, string> =
    contentType === undefined ? {} : { [CONTENT_TYPE_HEADER]: contentType };
  for (const [name, attribute] of headers)
    if (name.startsWith(ATTRIBUTE_PREFIX) && name !== "ce_datacontenttype" && attribute !== null)
      fields[HTTP_PREFIX + name.slice(ATTRIBUTE_PREFIX.length)] = encodeHeaderValue(attribute.toString());
  return { body: isJsonContentType(contentType) ? toJsonBytes(value) : (value ?? ""), headers: fields };
}

/** A registry's prefix is part of the record, and not of its JSON. */
function toJsonBytes(value: Buffer | null): Buffer | string {
  return value === null ? "" : withoutWirePrefix(value);
}
