// CloudEvents as Kafka records (CloudEvents 1.0, Kafka Protocol Binding).
import { isUtf8 } from "node:buffer";
import type { ProblemError } from "../problem.ts";
import { withoutWirePrefix } from "../records.ts";
import { attributeProblems } from "./attributes.ts";
import {
  type CloudEvent,
  type CloudEventData,
  fromCloudEventJson,
  isJsonContentType,
  STRUCTURED_PREFIX,
} from "./cloud-event.ts";

export const CONTENT_TYPE_HEADER = "content-type";
export const ATTRIBUTE_PREFIX = "ce_";

/** Headers in the order of a record. */
type Headers = readonly (readonly [name: string, value: Buffer | null])[];

/** How a record holds a CloudEvent; undefined when it holds none. */
export function contentModeOf(headers: Headers): "binary" | "structured" | undefined {
  let mode: "binary" | undefined;
  for (const [name, value] of headers) {
    if (name === "ce_specversion") mode = "binary";
    if (name === CONTENT_TYPE_HEADER && value?.toString("latin1").toLowerCase().startsWith(STRUCTURED_PREFIX))
      return "structured";
  }
  return mode;
}

/** The headers of the binary mode. */
export function toBinaryHeaders({ attributes }: CloudEvent): (readonly [name: string, value: string])[] {
  const headers: [string, string][] = [];
  for (const [name, value] of attributes)
    headers.push([name === "datacontenttype" ? CONTENT_TYPE_HEADER : ATTRIBUTE_PREFIX + name, String(value)]);
  return headers;
}

/**
 * Reads a CloudEvent from a record.
 * @param mode from `contentModeOf`
 * @returns the event, or why the record holds none
 */
export function fromRecord(
  headers: Headers,
  value: Buffer | null,
  mode: "binary" | "structured",
): CloudEvent | string {
  if (mode === "binary") return fromBinaryRecord(headers, value ?? Buffer.alloc(0));
  if (value === null) return "the record has no value";
  const bytes = withoutWirePrefix(value);
  if (!isUtf8(bytes)) return "the value is not UTF-8";
  const json = bytes.toString();
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    return `the value is not JSON: ${(error as Error).message}`;
  }
  const event = fromCloudEventJson(parsed, json);
  return Array.isArray(event) ? describeProblems(event) : event;
}

function fromBinaryRecord(headers: Headers, value: Buffer): CloudEvent | string {
  const attributes = new Map<string, string>();
  let contentType: string | undefined;
  for (const [name, bytes] of headers) {
    if (bytes === null) continue;
    if (name.startsWith(ATTRIBUTE_PREFIX))
      attributes.set(name.slice(ATTRIBUTE_PREFIX.length), bytes.toString());
    else if (name === CONTENT_TYPE_HEADER) contentType = bytes.toString();
  }
  // Some writers repeat it as an attribute of its own.
  if (contentType !== undefined) attributes.set("datacontenttype", contentType);
  const problems = attributeProblems(attributes);
  if (problems.length > 0) return describeProblems(problems);
  const type = attributes.get("datacontenttype");
  // Other data may begin like that prefix.
  const data = toBinaryData(isJsonContentType(type) ? withoutWirePrefix(value) : value, type);
  return typeof data === "string" ? data : { attributes, data };
}

function describeProblems(problems: readonly ProblemError[]): string {
  return problems.map(({ pointer, message }) => `${pointer || "value"} ${message}`).join("; ");
}

/**
 * The data of the binary mode, which HTTP and Kafka have in common.
 * @param contentType without one nothing is assumed of the bytes
 * @returns undefined when there is no data; a text when it isn't what its type declares
 */
export function toBinaryData(value: Buffer, contentType: unknown): CloudEventData | string | undefined {
  if (value.length === 0) return undefined;
  const isJson = isJsonContentType(contentType);
  if (!isUtf8(value)) return isJson ? "the data is not UTF-8" : { kind: "bytes", bytes: value };
  if (contentType === undefined) return { kind: "bytes", bytes: value };
  const text = value.toString();
  if (!isJson) return { kind: "text", text };
  try {
    return { kind: "json", text, value: JSON.parse(text) as unknown };
  } catch (error) {
    return `the data is not JSON: ${(error as Error).message}`;
  }
}
