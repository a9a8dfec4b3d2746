// A CloudEvent apart from how it was sent: its attributes and its data; and its JSON format (CloudEvents 1.0, JSON Event
// Format).
import { kindOf } from "../check.ts";
import type { ProblemError } from "../problem.ts";
import { attributeProblems, type CloudEventAttributes } from "./attributes.ts";
import { memberText } from "./json-members.ts";

/** Data as it was written: JSON and other text are kept as text, anything else as bytes. */
export type CloudEventData =
  | { readonly kind: "json"; readonly text: string; readonly value: unknown }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "bytes"; readonly bytes: Buffer };

export interface CloudEvent {
  readonly attributes: CloudEventAttributes;
  /** Undefined when it has none. */
  readonly data: CloudEventData | undefined;
}

/** The content type of an event in the JSON format, spelled as the official SDKs compare it: the charset in lower case. */
export const STRUCTURED_JSON = "application/cloudevents+json; charset=utf-8";
/** How content types of the structured mode begin. */
export const STRUCTURED_PREFIX = "application/cloudevents";

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Reads an event in the JSON format.
 * @param parsed the parsed `json`
 * @returns the event, or why it is none
 */
export function fromCloudEventJson(parsed: unknown, json: string): CloudEvent | ProblemError[] {
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    return [{ pointer: "", message: `expected a JSON object, got ${kindOf(parsed)}` }];
  const attributes = new Map<string, unknown>();
  // An attribute that is null is absent; data that is null is present.
  for (const [name, value] of Object.entries(parsed))
    if (name !== "data" && name !== "data_base64" && value !== null) attributes.set(name, value);
  const problems = attributeProblems(attributes);
  const data = toData(parsed, json, attributes.get("datacontenttype"));
  if (data !== undefined && "pointer" in data) problems.push(data);
  else if (problems.length === 0) {
    // Other formats don't imply a type, so it is stated.
    if (data?.kind === "json" && !attributes.has("datacontenttype"))
      attributes.set("datacontenttype", "application/json");
    return { attributes, data };
  }
  return problems;
}

function toData(
  parsed: { data?: unknown; data_base64?: unknown },
  json: string,
  contentType: unknown,
): CloudEventData | ProblemError | undefined {
  const { data, data_base64 } = parsed;
  const hasData = Object.hasOwn(parsed, "data");
  if (data_base64 !== undefined && data_base64 !== null) {
    if (hasData) return { pointer: "/data_base64", message: "must not be present together with data" };
    if (typeof data_base64 !== "string" || !BASE64.test(data_base64))
      return { pointer: "/data_base64", message: "must be a Base64 string (RFC 4648, section 4)" };
    return { kind: "bytes", bytes: Buffer.from(data_base64, "base64") };
  }
  if (!hasData) return undefined;
  if (contentType === undefined || isJsonContentType(contentType))
    return { kind: "json", text: memberText(json, "data")!, value: data };
  if (typeof data !== "string" || !data.isWellFormed())
    return {
      pointer: "/data",
      message: `must be a well-formed string, because datacontenttype is not a JSON type; got ${kindOf(data)}`,
    };
  return { kind: "text", text: data };
}

/** Writes an event in the JSON format. Its data is copied as it was written. */
export function toCloudEventJson({ attributes, data }: CloudEvent): string {
  const members = [...attributes].map(([name, value]) => `"${name}":${JSON.stringify(value)}`);
  if (data?.kind === "json") members.push(`"data":${data.text}`);
  if (data?.kind === "text") members.push(`"data":${JSON.stringify(data.text)}`);
  if (data?.kind === "bytes") members.push(`"data_base64":"${data.bytes.toString("base64")}"`);
  return `{${members.join(",")}}`;
}

/** Does it declare JSON (`json`, or ending in `+json`) in UTF-8? JSON in another charset is bytes to everyone here. */
export function isJsonContentType(contentType: unknown): boolean {
  return (
    typeof contentType === "string" &&
    /^[^/;]+\/(?:[^/;]+\+)?json[ \t]*(?:;|$)/i.test(contentType) &&
    !/;[ \t]*charset=(?!"?(?:utf-?8|us-ascii)"?[ \t]*(?:;|$))/i.test(contentType)
  );
}
