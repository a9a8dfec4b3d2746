// Members of the JSON of other products.
import { type EventInput, isEventInput } from "@ingest/contract";
import { Rejection } from "../../rejection.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** A number as it was written (proposal JSON.parse source text access), which TypeScript does not declare yet. */
interface RawJson {
  readonly rawJSON: string;
}
const rawJson = JSON as typeof JSON & { rawJSON(text: string): RawJson; isRawJSON(value: unknown): boolean };

/**
 * Parses JSON whose values will be written again. A number that JavaScript would write otherwise stays as it was written.
 * @throws SyntaxError
 */
export function parseExactly(text: string): unknown {
  return JSON.parse(text, keepNumber);
}

function keepNumber(_name: string, value: unknown, { source }: { source?: string } = {}): unknown {
  return typeof value === "number" && source !== undefined && String(value) !== source
    ? rawJson.rawJSON(source)
    : value;
}

function isRawJson(value: unknown): value is RawJson {
  return rawJson.isRawJSON(value);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isRawJson(value);
}

/** A text that is not empty. Numbers, which some clients use as ids, are written out. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  if (isRawJson(value)) return value.rawJSON;
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** What `textOf` can't take: it stays in the payload, so that nothing is dropped. */
export function unlessText(value: unknown): unknown {
  return textOf(value) === undefined ? value : undefined;
}

/** A time that an event can have. */
export function timestampOf(value: unknown): EventInput["timestamp"] {
  return value !== undefined && isEventInput({ event_type: "-", timestamp: value })
    ? (value as EventInput["timestamp"])
    : undefined;
}

/** Without members that are undefined; undefined when none is left. */
export function defined(object: JsonObject): JsonObject | undefined {
  const members = Object.entries(object).filter(([, value]) => value !== undefined);
  return members.length === 0 ? undefined : Object.fromEntries(members);
}

/** Of a body that is not what the product's clients send. */
export function notTranslatable(message: string): Rejection {
  return new Rejection("invalid_event", `The body ${message}.`, { errors: [{ pointer: "", message }] });
}
