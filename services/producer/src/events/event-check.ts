// What is checked of each event between decode and delivery: may its caller send it, does its payload match, where does it go?
import type { EventInput } from "@ingest/contract";
import type { Caller } from "../callers/caller.ts";
import type { EncodedEvent } from "../delivery/index.ts";
import { Rejection } from "../rejection.ts";

/** @returns the event to deliver: the same one, or one with a topic or headers; or why it is not taken */
export type EventCheck = (event: EncodedEvent, input: EventInput) => EncodedEvent | Rejection;

/** @returns undefined when nothing is checked of this caller's events. Called once for each text of a head */
export type EventCheckFactory = (caller: Caller | undefined) => EventCheck | undefined;

/** Checks one after the other, as one: the first that rejects the event decides. */
export function toEventCheck(
  caller: Caller | undefined,
  factories: readonly EventCheckFactory[],
): EventCheck | undefined {
  const checks = factories.flatMap((toCheck) => toCheck(caller) ?? []);
  const [first] = checks;
  if (checks.length < 2) return first;
  return (event, input) => {
    let checked = event;
    for (const check of checks) {
      const result = check(checked, input);
      if (result instanceof Rejection) return result;
      checked = result;
    }
    return checked;
  };
}
