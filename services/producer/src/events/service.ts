// From a body to what became of its events. Knows formats and durability; neither Elysia nor HTTP.
import type { Durability, ProblemCode, ProblemError } from "@ingest/contract";
import type { AcceptOutcome, Delivery, EncodedEvent, Refusal, StoredOutcome } from "../delivery/index.ts";
import type { Body } from "../http/request.ts";
import { Rejection } from "../rejection.ts";
import { type DecodeLimits, decodeEvent, decodeEvents } from "./decode.ts";

/** What an event became. */
export type EventStatus = Durability | "invalid" | "retry" | "unknown";

/** An event that was taken, and the durability that it has. */
export interface Registered {
  readonly eventId: string;
  readonly status: Durability;
  /** Where it is, once it is stored. */
  readonly stored?: { readonly topic: string; readonly partition: number; readonly offset: number };
}

/** One event's result in a batch. `code` says why an event is invalid or to be sent again. */
export interface EventResult {
  index: number;
  status: EventStatus;
  event_id?: string;
  code?: ProblemCode;
  errors?: readonly ProblemError[];
  retry_after_seconds?: number;
  topic?: string;
  partition?: number;
  offset?: number;
}

export interface EventServiceOptions {
  delivery: Pick<Delivery, "accept" | "durable" | "stored">;
  limits: DecodeLimits;
  /** How long a caller waits for `stored`, ms. */
  storedDeadlineMs: number;
}

const details: Readonly<Record<Refusal["code"], string>> = {
  queue_full: "Events come in faster than Kafka takes them.",
  journal_full: "Kafka is away, and what waits for it fills the journal.",
  journal_unavailable: "There is no journal to write to.",
  kafka_unavailable: "Kafka can't be reached.",
  shutting_down: "This server is stopping: send it to another.",
  too_large: "Kafka refuses the event for its size.",
};

export class EventService {
  readonly #options: EventServiceOptions;
  /** Events by what became of them. Plain numbers that only grow. */
  readonly counts: Record<EventStatus, number> = {
    accepted: 0,
    durable: 0,
    stored: 0,
    invalid: 0,
    retry: 0,
    unknown: 0,
  };

  constructor(options: EventServiceOptions) {
    this.#options = options;
  }

  /** Takes one event. Answers at once for `accepted`. */
  register(body: Body, durability: Durability): Registered | Rejection | Promise<Registered | Rejection> {
    const event = decodeEvent(body.toText());
    if (event instanceof Rejection) {
      this.counts.invalid++;
      return event;
    }
    const outcome = this.#hand(event, durability);
    return outcome instanceof Promise
      ? outcome.then((settled) => this.#toRegistered(event, settled))
      : this.#toRegistered(event, outcome);
  }

  /** Takes many, each for itself: one that is wrong, or not taken, doesn't cost the others. */
  registerMany(
    body: Body,
    format: "array" | "ndjson",
    durability: Durability,
  ): EventResult[] | Rejection | Promise<EventResult[]> {
    const events = decodeEvents(body.toBuffer(), format, this.#options.limits);
    if (events instanceof Rejection) {
      this.counts.invalid++;
      return events;
    }
    if (durability === "accepted")
      return events.map((event, index) =>
        event instanceof Rejection
          ? this.#toInvalid(event, index)
          : this.#toResult(event, index, this.#options.delivery.accept(event)),
      );
    return Promise.all(
      events.map(async (event, index) =>
        event instanceof Rejection
          ? this.#toInvalid(event, index)
          : this.#toResult(event, index, await this.#hand(event, durability)),
      ),
    );
  }

  #hand(event: EncodedEvent, durability: Durability): AcceptOutcome | Promise<AcceptOutcome | StoredOutcome> {
    const { delivery, storedDeadlineMs } = this.#options;
    if (durability === "accepted") return delivery.accept(event);
    return durability === "durable" ? delivery.durable(event) : delivery.stored(event, storedDeadlineMs);
  }

  #toRegistered({ id }: EncodedEvent, outcome: AcceptOutcome | StoredOutcome): Registered | Rejection {
    if (outcome.status === "accepted" || outcome.status === "durable") {
      this.counts[outcome.status]++;
      return { eventId: id, status: outcome.status };
    }
    if (outcome.status === "stored") {
      this.counts.stored++;
      const { topic, partition, offset } = outcome;
      return { eventId: id, status: "stored", stored: { topic, partition, offset } };
    }
    if (outcome.status === "unknown") {
      this.counts.unknown++;
      return new Rejection(
        "outcome_unknown",
        "Nothing confirmed in time that the event is kept. It may still arrive: send it again with the event_id given here.",
        { eventId: id },
      );
    }
    this.counts[outcome.code === "too_large" ? "invalid" : "retry"]++;
    return toRejection(outcome, id);
  }

  #toInvalid(rejection: Rejection, index: number): EventResult {
    this.counts.invalid++;
    const { errors = [{ pointer: "", message: rejection.detail }], eventId } = rejection.more;
    const { code } = rejection;
    return {
      index,
      status: "invalid",
      ...(eventId === undefined ? {} : { event_id: eventId }),
      code,
      errors,
    };
  }

  #toResult(
    { id: event_id }: EncodedEvent,
    index: number,
    outcome: AcceptOutcome | StoredOutcome,
  ): EventResult {
    switch (outcome.status) {
      case "accepted":
      case "durable":
        this.counts[outcome.status]++;
        return { index, status: outcome.status, event_id };
      case "stored": {
        this.counts.stored++;
        const { topic, partition, offset } = outcome;
        return { index, status: "stored", event_id, topic, partition, offset };
      }
      case "unknown":
        this.counts.unknown++;
        return { index, status: "unknown", event_id, code: "outcome_unknown" };
      case "refused": {
        const status = outcome.code === "too_large" ? "invalid" : "retry";
        this.counts[status]++;
        const { code, retryAfterSeconds: seconds } = outcome;
        return {
          index,
          status,
          event_id,
          code,
          ...(seconds === undefined ? {} : { retry_after_seconds: seconds }),
        };
      }
    }
  }
}

export function toRejection({ code, retryAfterSeconds }: Refusal, eventId?: string): Rejection {
  return new Rejection(code, details[code], {
    ...(eventId === undefined ? {} : { eventId }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}
