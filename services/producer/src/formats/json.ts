// JSON, arrays of it and NDJSON: body → events ready for Kafka, or rejections. Knows neither HTTP nor Kafka.
import { isAscii, isUtf8 } from "node:buffer";
import {
  type EventInput,
  eventProblems,
  isEventInput,
  isLongerThan,
  isNestedDeeper,
  MAX_EVENT_ID_LENGTH,
} from "@ingest/contract";
import type { EncodedEvent } from "../delivery/index.ts";
import type { EventCheck } from "../events/event-check.ts";
import { Rejection } from "../rejection.ts";
import { encodePart, encodeText } from "./encode.ts";
import type { DecodeLimits, EventIds } from "./event-format.ts";
import { elementBounds, skipSpace, trimEnd } from "./json-elements.ts";

const NEWLINE = 0x0a;
const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const BYTE_ORDER_MARK = 0xfeff;

/**
 * Decodes a single event, whose size is within the limit.
 * @param body its text; undefined when it isn't UTF-8
 */
export function decodeEvent(
  body: string | undefined,
  limits: Pick<DecodeLimits, "maxJsonDepth">,
  ids?: EventIds,
  check?: EventCheck,
): EncodedEvent | Rejection {
  if (body === undefined) return notUtf8();
  const text = withoutByteOrderMark(body);
  const parsed = parse(text, limits);
  if (parsed instanceof Rejection) return parsed;
  if (!isEventInput(parsed)) return notAnEvent(parsed);
  const isBare = text.charCodeAt(0) === OPEN_BRACE && text.charCodeAt(text.length - 1) === CLOSE_BRACE;
  const event = isBare ? encodeText(parsed, text, Date.now(), ids) : encodeTrimmed(parsed, text, ids);
  return check === undefined ? event : check(event, parsed);
}

/** JSON.parse does not accept a byte order mark (RFC 8259, section 8.1). */
export function withoutByteOrderMark(text: string): string {
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

/** Without the white space around it. A copy: a substring would keep the whole text in memory. */
function encodeTrimmed(event: EventInput, text: string, ids: EventIds | undefined): EncodedEvent {
  const json = Buffer.from(text.trim());
  return encodePart(event, json, 0, json.length, undefined, Date.now(), 0, ids);
}

/** Decodes a batch: one rejection for the whole body, or an event or rejection for each element. */
export function decodeEvents(
  body: Buffer,
  format: "array" | "ndjson",
  limits: DecodeLimits,
  ids?: EventIds,
  check?: EventCheck,
): (EncodedEvent | Rejection)[] | Rejection {
  const events = decodeElements(body, format, limits, (parsed, start, end, text, receivedMs, index) => {
    if (!isEventInput(parsed)) return notAnEvent(parsed);
    const event = encodePart(parsed, body, start, end, text, receivedMs, index, ids);
    return check === undefined ? event : check(event, parsed);
  });
  if (events instanceof Rejection || events.length > 0) return events;
  return new Rejection("invalid_event", "The body holds no event: send at least one.", {
    errors: [{ pointer: "", message: "must hold at least one event" }],
  });
}

/**
 * @param start the element's offset in the body
 * @param text its text, when the body is ASCII
 * @param index its place in the body, from 0
 */
type DecodeElement = (
  parsed: unknown,
  start: number,
  end: number,
  text: string | undefined,
  receivedMs: number,
  index: number,
) => EncodedEvent | Rejection;

/**
 * Decodes the elements of a batch. They are located and measured first and then parsed one by one, so that nothing larger
 * than one event is ever parsed.
 * @returns one rejection for the whole body, or a result for each element
 */
export function decodeElements(
  body: Buffer,
  format: "array" | "ndjson",
  limits: DecodeLimits,
  decodeElement: DecodeElement,
): (EncodedEvent | Rejection)[] | Rejection {
  // ASCII is decoded once and cut at byte offsets; other text is decoded event by event.
  const ascii = isAscii(body) ? body.toString("latin1") : undefined;
  const isText = ascii !== undefined || isUtf8(body);
  if (!isText && format === "array") return notUtf8();
  const bounds = format === "ndjson" ? lineBounds(body, limits.maxBatchEvents) : arrayBounds(body, limits);
  if (bounds instanceof Rejection) return bounds;
  if (bounds === "too many")
    return new Rejection("too_large", `The body holds more than ${limits.maxBatchEvents} events.`);
  const receivedMs = Date.now();
  const events: (EncodedEvent | Rejection)[] = [];
  for (let i = 0; i < bounds.length; i += 2) {
    const start = bounds[i]!;
    const end = bounds[i + 1]!;
    if (end - start > limits.maxEventBytes) {
      events.push(tooLarge(end - start, limits));
      continue;
    }
    if (start === end) return emptyElement(i / 2, bounds.length / 2);
    // A line break is never a part of another character, so the other lines are text.
    if (!isText && !isUtf8(body.subarray(start, end))) {
      events.push(new Rejection("bad_encoding", "The line is not UTF-8."));
      continue;
    }
    const text = ascii?.slice(start, end);
    const parsed = parse(text ?? body.toString("utf8", start, end), limits);
    // NDJSON lines are independent; an array is valid JSON as a whole or not at all.
    if (parsed instanceof Rejection && parsed.code === "not_json" && format === "array") return parsed;
    events.push(
      parsed instanceof Rejection ? parsed : decodeElement(parsed, start, end, text, receivedMs, i / 2),
    );
  }
  return events;
}

function arrayBounds(body: Buffer, limits: DecodeLimits): number[] | "too many" | Rejection {
  const start = skipToContent(body);
  if (body[start] !== OPEN_BRACKET) return notAnArray(body, start, limits);
  const bounds = elementBounds(body, start, limits.maxBatchEvents);
  return bounds === "malformed"
    ? new Rejection("not_json", "The body is not a complete JSON array.")
    : bounds;
}

/** Only arrays have empty elements: blank lines are skipped. */
function emptyElement(index: number, count: number): Rejection {
  return new Rejection(
    "not_json",
    index > 0 && index === count - 1
      ? "The array has a trailing comma: remove the comma before its closing bracket."
      : `The array has no element before its comma ${index + 1}: remove the comma.`,
  );
}

/** Not JSON, or JSON other than an array. Parsed only when it isn't larger than an event. */
function notAnArray(body: Buffer, start: number, limits: DecodeLimits): Rejection {
  if (body.length - start <= limits.maxEventBytes) {
    const parsed = parse(body.toString("utf8", start), limits);
    if (parsed instanceof Rejection) return parsed;
  }
  return new Rejection(
    "invalid_event",
    "The body is not a JSON array: send an array of events, or NDJSON as application/x-ndjson.",
    { errors: [{ pointer: "", message: "must be an array of events" }] },
  );
}

/** As `elementBounds`, for lines; skips blank lines. */
function lineBounds(body: Buffer, max: number): number[] | "too many" {
  const bounds: number[] = [];
  for (let from = skipByteOrderMark(body); from < body.length; ) {
    const newline = body.indexOf(NEWLINE, from);
    const lineEnd = newline === -1 ? body.length : newline;
    const start = skipSpace(body, from, lineEnd);
    const end = trimEnd(body, start, lineEnd);
    from = lineEnd + 1;
    if (start === end) continue;
    if (bounds.length === max * 2) return "too many";
    bounds.push(start, end);
  }
  return bounds;
}

function notAnEvent(value: unknown): Rejection {
  const errors = eventProblems(value);
  const [first] = errors;
  const detail = first ? `${first.pointer || "The body"} ${first.message}.` : "The body is not an event.";
  return new Rejection("invalid_event", detail, { errors, ...ownId(value) });
}

/** The caller's event_id, for the response. */
function ownId(value: unknown): { eventId?: string } {
  const id = (value as { event_id?: unknown } | null)?.event_id;
  return typeof id === "string" && id.length > 0 && !isLongerThan(id, MAX_EVENT_ID_LENGTH)
    ? { eventId: id }
    : {};
}

export function parse(text: string, { maxJsonDepth }: Pick<DecodeLimits, "maxJsonDepth">): unknown {
  try {
    const parsed: unknown = JSON.parse(text);
    return isNestedDeeper(parsed, maxJsonDepth) ? tooDeep(maxJsonDepth) : parsed;
  } catch (error) {
    if (text.trim() === "") return new Rejection("not_json", "The body is empty.");
    return new Rejection("not_json", `${(error as Error).message}.`);
  }
}

function skipToContent(body: Buffer): number {
  return skipSpace(body, skipByteOrderMark(body), body.length);
}

/** RFC 8259, section 8.1: a parser may ignore a byte order mark. */
function skipByteOrderMark(body: Buffer): number {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0;
}

export function notUtf8(): Rejection {
  return new Rejection("bad_encoding", "The body is not UTF-8.");
}

export function tooDeep(maxJsonDepth: number): Rejection {
  const message = `must not be nested more than ${maxJsonDepth} levels deep`;
  return new Rejection("invalid_event", `The event ${message}.`, { errors: [{ pointer: "", message }] });
}

export function tooLarge(bytes: number, { maxEventBytes }: DecodeLimits): Rejection {
  return new Rejection("too_large", `The event has ${bytes} bytes; the limit is ${maxEventBytes}.`);
}
