// What tells one event from another.
import type { ConsumedEvent } from "./handler.ts";

/**
 * The event_id; of a CloudEvent its source and id, with a space between them, which a source never contains: ids of
 * CloudEvents are unique only within their source.
 */
export function identityOf({ event_id, cloudevent }: Pick<ConsumedEvent, "event_id" | "cloudevent">): string {
  return cloudevent === undefined ? event_id : `${cloudevent.source} ${event_id}`;
}
