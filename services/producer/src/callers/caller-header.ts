// The record header that names the caller.
import type { EventCheckFactory } from "../events/event-check.ts";

/** @param name of the header. An event of a caller that is known gets it, whatever the request contains */
export function callerHeader(name: string): EventCheckFactory {
  return (caller) =>
    caller && ((event) => ({ ...event, headers: [...(event.headers ?? []), [name, caller.id]] }));
}
