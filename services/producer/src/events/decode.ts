// Bytes → events ready for Kafka, or what is wrong with them. Knows the formats; neither HTTP nor Kafka.
import { isUtf8 } from "node:buffer";
import { eventProblems, isEventInput } from "@ingest/contract";
import type { EncodedEvent } from "../delivery/index.ts";
import { Rejection } from "../rejection.ts";
import { encodeEvent } from "./encode.ts";
import { elementBounds } from "./json-elements.ts";

/** How events are written in a body: one JSON object, a JSON array of them, or one JSON object a line. */
export type Format = "json" | "array" | "ndjson";

export interface DecodeLimits {
  maxEventBytes: number;
  maxBatchEvents: number;
}

const SPACE = 0x20;
const NEWLINE = 0x0a;

/** Reads a body that is one event. */
export function decodeEvent(body: Buffer, limits: DecodeLimits): EncodedEvent | Rejection {
  if (!isUtf8(body)) return notUtf8();
  const start = skipToText(body);
  const parsed = parse(body, start, body.length);
  return parsed instanceof Rejection
    ? parsed
    : toEvent(parsed, body, start, trimEnd(body, start, body.length), limits, Date.now());
}

/** Reads a body that is many: a rejection for all of it, or for each event its own. */
export function decodeEvents(
  body: Buffer,
  format: "array" | "ndjson",
  limits: DecodeLimits,
): (EncodedEvent | Rejection)[] | Rejection {
  if (!isUtf8(body)) return notUtf8();
  const events = format === "ndjson" ? decodeLines(body, limits) : decodeArray(body, limits);
  if (!(events instanceof Rejection) && events.length === 0)
    return new Rejection("invalid_event", "The body holds no event: send at least one.", {
      errors: [{ pointer: "", message: "must hold at least one event" }],
    });
  return events;
}

function decodeArray(body: Buffer, limits: DecodeLimits): (EncodedEvent | Rejection)[] | Rejection {
  const start = skipToText(body);
  const parsed = parse(body, start, body.length);
  if (parsed instanceof Rejection) return parsed;
  if (!Array.isArray(parsed))
    return new Rejection(
      "invalid_event",
      "The body is not a JSON array: send an array of events, or NDJSON as application/x-ndjson.",
      { errors: [{ pointer: "", message: "must be an array of events" }] },
    );
  if (parsed.length > limits.maxBatchEvents) return tooMany(limits);
  const receivedMs = Date.now();
  const bounds = elementBounds(body, start, parsed.length);
  return parsed.map((value: unknown, index) =>
    toEvent(value, body, bounds[index * 2]!, bounds[index * 2 + 1]!, limits, receivedMs),
  );
}

function decodeLines(body: Buffer, limits: DecodeLimits): (EncodedEvent | Rejection)[] | Rejection {
  const receivedMs = Date.now();
  const events: (EncodedEvent | Rejection)[] = [];
  // Where every character is one byte, the text is decoded once and cut; else line by line.
  const whole = body.toString();
  const ascii = whole.length === body.length ? whole : undefined;
  for (let from = skipByteOrderMark(body); from < body.length; ) {
    const newline = body.indexOf(NEWLINE, from);
    const lineEnd = newline === -1 ? body.length : newline;
    const start = skipSpace(body, from, lineEnd);
    const end = trimEnd(body, start, lineEnd);
    from = lineEnd + 1;
    if (start === end) continue;
    if (events.length === limits.maxBatchEvents) return tooMany(limits);
    const parsed = parse(body, start, end, ascii?.slice(start, end));
    events.push(parsed instanceof Rejection ? parsed : toEvent(parsed, body, start, end, limits, receivedMs));
  }
  return events;
}

function toEvent(
  value: unknown,
  json: Buffer,
  start: number,
  end: number,
  limits: DecodeLimits,
  receivedMs: number,
): EncodedEvent | Rejection {
  if (end - start > limits.maxEventBytes)
    return new Rejection(
      "too_large",
      `The event has ${end - start} bytes; at most ${limits.maxEventBytes} are taken.`,
      ownId(value),
    );
  if (isEventInput(value)) return encodeEvent(value, json, start, end, receivedMs);
  const errors = eventProblems(value);
  const [first] = errors;
  const detail = first ? `${first.pointer || "The body"} ${first.message}.` : "The body is not an event.";
  return new Rejection("invalid_event", detail, { errors, ...ownId(value) });
}

/** An id that the caller gave, to be named in the answer. */
function ownId(value: unknown): { eventId?: string } {
  const id = (value as { event_id?: unknown } | null)?.event_id;
  return typeof id === "string" && id.length > 0 && id.length <= 128 ? { eventId: id } : {};
}

function parse(json: Buffer, start: number, end: number, text = json.toString("utf8", start, end)): unknown {
  if (start === end) return new Rejection("not_json", "The body is empty.");
  try {
    return JSON.parse(text);
  } catch (error) {
    // SyntaxError, or RangeError for arrays within arrays without end.
    return new Rejection("not_json", `${(error as Error).message}.`);
  }
}

function skipToText(body: Buffer): number {
  return skipSpace(body, skipByteOrderMark(body), body.length);
}

/** RFC 8259, section 8.1: a parser may ignore a byte order mark. */
function skipByteOrderMark(body: Buffer): number {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0;
}

/** JSON's white space is below or at U+0020; anything else down there is left for JSON.parse to refuse. */
function skipSpace(body: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && isSpace(body[at]!)) at++;
  return at;
}

function trimEnd(body: Buffer, start: number, from: number): number {
  let end = from;
  while (end > start && isSpace(body[end - 1]!)) end--;
  return end;
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === NEWLINE || byte === 0x0d || byte === 0x09;
}

function notUtf8(): Rejection {
  return new Rejection("bad_encoding", "The body is not UTF-8.");
}

function tooMany({ maxBatchEvents }: DecodeLimits): Rejection {
  return new Rejection("too_large", `The body holds more than ${maxBatchEvents} events.`);
}
