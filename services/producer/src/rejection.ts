// Why a request or an event is not taken: returned instead of a result by the steps between socket and Kafka.
import type { ProblemCode, ProblemError } from "@ingest/contract";

/** An expected refusal. `instanceof` distinguishes it from a result. */
export class Rejection {
  constructor(
    readonly code: ProblemCode,
    /** What is wrong with this request, and what to change. */
    readonly detail: string,
    readonly more: RejectionDetails = {},
  ) {}
}

export interface RejectionDetails {
  /** The problems of an event, by member. */
  readonly errors?: ProblemError[];
  /** The event's id, where it has one. */
  readonly eventId?: string;
  /** When a retry can succeed, s. */
  readonly retryAfterSeconds?: number;
  /** Header fields of the response. */
  readonly fields?: Readonly<Record<string, string>>;
  /** The connection is closed after the response: the rest of the request is not read. */
  readonly closes?: boolean;
}
