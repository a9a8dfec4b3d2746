// Who sends events, and what they may send.
import type { Durability } from "@ingest/contract";
import type { NamePatterns } from "./name-patterns.ts";
import type { AllowedOrigins } from "./origins.ts";

/** The id of all requests without a key, where CALLERS_FILE has an entry for them. */
export const ANONYMOUS = "anonymous";

/** An entry of CALLERS_FILE. Frozen; a reload of the file makes new ones. */
export interface Caller {
  /** Its id in the file, or `anonymous`. */
  readonly id: string;
  /** The event types that it may send; undefined: all. */
  readonly eventTypes: NamePatterns | undefined;
  /** The topics that its events may go to; undefined: all. */
  readonly topics: NamePatterns | undefined;
  /** Of its requests that ask for none. */
  readonly defaultDurability: Durability;
  /** The highest that it may ask for. */
  readonly maxDurability: Durability;
  readonly limits: CallerLimits;
  /** Of each client address that sends as this caller: for `anonymous` alone. */
  readonly limitsPerAddress: CallerLimits | undefined;
  /** The origins whose pages may use its keys; undefined: those of CORS_ALLOWED_ORIGINS. */
  readonly origins: AllowedOrigins | undefined;
}

/** What a caller may send in a time; an undefined limit does not apply. */
export interface CallerLimits {
  readonly eventsPerSecond: number | undefined;
  /** Events that it may send at once after a pause. */
  readonly burstEvents: number | undefined;
  /** Of request bodies, decompressed. */
  readonly bytesPerSecond: number | undefined;
  /** Bytes that it may send at once after a pause. */
  readonly burstBytes: number | undefined;
  /** Quotas; the day is that of UTC. */
  readonly eventsPerDay: number | undefined;
  readonly bytesPerDay: number | undefined;
}
