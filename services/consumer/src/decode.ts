// Decodes a record's bytes to an event of this service.
import { isUtf8 } from "node:buffer";
import { eventProblems, isNestedDeeper, isStoredEvent, withoutWirePrefix } from "@ingest/contract";
import type { ConsumedEvent } from "./handler.ts";

export interface DecodedEvent {
  event: ConsumedEvent;
  /**
   * The event's JSON text; of an event of this service, as it stands in the record, without the prefix of Confluent's wire
   * format.
   */
  text: string;
}

/** @returns the event, or the reason why the value is not one. Never throws. */
export function decode(value: Buffer | null, maxJsonDepth: number): DecodedEvent | string {
  if (value === null) return "the record has no value";
  const json = withoutWirePrefix(value);
  const text = json.toString("utf8");
  // A replacement character stands for invalid UTF-8, or was sent by the caller.
  if (text.includes("\uFFFD") && !isUtf8(json)) return "the value is not UTF-8";
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch (error) {
    return `the value is not JSON: ${(error as Error).message}`;
  }
  if (isNestedDeeper(event, maxJsonDepth)) return `the value is nested more than ${maxJsonDepth} levels deep`;
  return isStoredEvent(event) ? { event, text } : describeProblems(event);
}

function describeProblems(value: unknown): string {
  const problems = eventProblems(value).map(({ pointer, message }) => `${pointer || "value"} ${message}`);
  // Callers may omit these two, because the API adds them.
  if (typeof value === "object" && value !== null) {
    for (const name of ["event_id", "timestamp"]) if (!(name in value)) problems.push(`/${name} is missing`);
  }
  return problems.length > 0 ? problems.join("; ") : "the value is not an event";
}
