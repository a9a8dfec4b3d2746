// Why something the caller sent isn't taken: what every step between socket and Kafka returns instead of its result.
import type { ProblemCode, ProblemError } from "@ingest/contract";

/** An expected no. `instanceof` tells it from a result. */
export class Rejection {
  constructor(
    readonly code: ProblemCode,
    /** What to change, for this very request. */
    readonly detail: string,
    readonly more: RejectionDetails = {},
  ) {}
}

export interface RejectionDetails {
  /** What is wrong with an event, member by member. */
  readonly errors?: ProblemError[];
  /** The event's id, where it has one. */
  readonly eventId?: string;
  /** When trying again makes sense, s. */
  readonly retryAfterSeconds?: number;
  /** The rest of the connection is of no use: bytes may be coming that nobody will read. */
  readonly closes?: boolean;
}
