// A record's bytes → an event, or why they are none.
import { isUtf8 } from "node:buffer";
import { eventProblems, isStoredEvent, type StoredEvent } from "@ingest/contract";

export interface DecodedEvent {
  event: StoredEvent;
  /** The JSON text it was read from. */
  text: string;
}

/** @returns the event, or in words why the value is not one. Never throws. */
export function decode(value: Buffer | null): DecodedEvent | string {
  if (value === null) return "the record has no value";
  const text = value.toString("utf8");
  // A replacement character is where bytes were no UTF-8, or one that the caller sent.
  if (text.includes("\uFFFD") && !isUtf8(value)) return "the value is not UTF-8";
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch (error) {
    return `the value is not JSON: ${(error as Error).message}`;
  }
  return isStoredEvent(event) ? { event, text } : wordsFor(event);
}

function wordsFor(value: unknown): string {
  const problems = eventProblems(value).map(({ pointer, message }) => `${pointer || "value"} ${message}`);
  // The two members that a caller may leave out and the API then adds.
  if (typeof value === "object" && value !== null) {
    for (const name of ["event_id", "timestamp"]) if (!(name in value)) problems.push(`/${name} is missing`);
  }
  return problems.length > 0 ? problems.join("; ") : "the value is not an event";
}
