// The event types that a caller may send.
import type { EventCheck } from "../events/event-check.ts";
import { Rejection } from "../rejection.ts";
import type { Caller } from "./caller.ts";

/** @returns undefined when it may send all */
export function eventTypeCheck(caller: Caller | undefined): EventCheck | undefined {
  const allowed = caller?.eventTypes;
  if (caller === undefined || allowed === undefined) return undefined;
  return (event, { event_type: type }) => {
    if (allowed.includes(type)) return event;
    const message = `may not be sent by ${caller.id}; allowed: ${allowed.patterns.join(", ")}`;
    return new Rejection("event_type_not_allowed", `/event_type ${message}.`, {
      errors: [{ pointer: "/event_type", message }],
      eventId: event.id,
    });
  };
}
