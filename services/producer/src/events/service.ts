// From a request body to the result of each of its events. Knows durability; neither formats nor Elysia nor HTTP.

import type { Durability } from "@ingest/contract";
import type { Body } from "@ingest/http-server";
import { type CallerCounts, increment } from "../callers/caller-counts.ts";
import { type Limiter, shareOf } from "../callers/limits/limiter.ts";
import type { AcceptOutcome, Delivery, EncodedEvent, Refusal, StoredOutcome } from "../delivery/index.ts";
import { Rejection } from "../rejection.ts";
import type { EventResult } from "./model.ts";
import type { RequestOptions } from "./request-options.ts";

/** An event that was taken: a result whose status is the durability that was reached. */
export type Registered = {
  /** Its place in the batch; undefined for a single event. */
  readonly index: number | undefined;
  readonly event_id: string;
} & (
  | { readonly status: Exclude<Durability, "stored"> }
  | { readonly status: "stored"; readonly topic: string; readonly partition: number; readonly offset: number }
);

export interface EventServiceOptions {
  delivery: Pick<Delivery, "accept" | "durable" | "stored">;
  /** How long a caller waits for `stored`, ms. */
  storedDeadlineMs: number;
}

export class EventService {
  readonly #options: EventServiceOptions;
  /** Events by result. Counters: they only grow. */
  readonly counts: Record<EventResult["status"], number> = {
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

  /** Takes one event. Returns without a promise for `accepted`, unless tokens have to be fetched. */
  register(body: Body, options: RequestOptions): Registered | Rejection | Promise<Registered | Rejection> {
    const { limiter } = options;
    if (limiter === undefined) return this.#registerOne(body, options);
    const passing = limiter.take(1, body.length);
    return typeof passing === "number"
      ? this.#registerPassing(passing, body, options, limiter)
      : passing.then((settled) => this.#registerPassing(settled, body, options, limiter));
  }

  #registerPassing(
    passing: number,
    body: Body,
    options: RequestOptions,
    limiter: Limiter,
  ): Registered | Rejection | Promise<Registered | Rejection> {
    const { length } = body;
    if (passing === 0) {
      this.#count("retry", options.counts);
      return limiter.refuse(limiter.blocked(1, length), 1);
    }
    const giveBackRefused = (result: Registered | Rejection) => {
      if (isRefusedForNow(result)) limiter.giveBack(1, length);
      return result;
    };
    const result = this.#registerOne(body, options);
    if (result instanceof Promise) return result.then(giveBackRefused);
    return result instanceof Rejection ? giveBackRefused(result) : result;
  }

  #registerOne(
    body: Body,
    { format, requested, ids, check, counts }: RequestOptions,
  ): Registered | Rejection | Promise<Registered | Rejection> {
    const event = format.decodeOne(body, ids, check);
    if (event instanceof Rejection) {
      this.#count("invalid", counts);
      return event;
    }
    const outcome = this.#deliver(event, requested.durability);
    return outcome instanceof Promise
      ? outcome.then((settled) => this.#toResult(event, settled, undefined, counts))
      : this.#toResult(event, outcome, undefined, counts);
  }

  /** Takes a batch, each event on its own: an event that is invalid or refused does not affect the others. */
  registerMany(
    body: Body,
    { format, requested, ids, check, limiter, counts }: RequestOptions,
  ): EventResult[] | Rejection | Promise<EventResult[]> {
    const events = format.decodeMany(body, ids, check);
    if (events instanceof Rejection) {
      this.#count("invalid", counts);
      return events;
    }
    const { durability } = requested;
    if (limiter === undefined) return this.#registerAll(events, durability, counts);
    const passing = limiter.take(events.length, body.length);
    return typeof passing === "number"
      ? this.#registerFirst(passing, events, body.length, durability, limiter, counts)
      : passing.then((settled) =>
          this.#registerFirst(settled, events, body.length, durability, limiter, counts),
        );
  }

  /** The events within the caller's limits are the first ones, so that those of one key stay in order. */
  #registerFirst(
    passing: number,
    events: readonly (EncodedEvent | Rejection)[],
    bytes: number,
    durability: Durability,
    limiter: Limiter,
    counts: CallerCounts | undefined,
  ): EventResult[] | Promise<EventResult[]> {
    const bytesPassing = shareOf(bytes, passing, events.length);
    const withRest = (results: EventResult[]) => {
      const refused = results.filter(({ status }) => status === "retry").length;
      if (refused > 0) limiter.giveBack(refused, shareOf(bytesPassing, refused, passing));
      const rest = events.slice(passing);
      if (rest.length === 0) return results;
      const blocked = limiter.blocked(rest.length, bytes - bytesPassing);
      const { code, more } = limiter.refuse(blocked, rest.length);
      for (const _ of rest) this.#count("retry", counts);
      return results.concat(
        rest.map((event, n) => {
          const eventId = event instanceof Rejection ? event.more.eventId : event.id;
          const details = { ...more, ...(eventId === undefined ? {} : { eventId }) };
          return toBatchResult(new Rejection(code, "", details), passing + n);
        }),
      );
    };
    const results = this.#registerAll(events.slice(0, passing), durability, counts);
    return results instanceof Promise ? results.then(withRest) : withRest(results);
  }

  #registerAll(
    events: readonly (EncodedEvent | Rejection)[],
    durability: Durability,
    counts: CallerCounts | undefined,
  ): EventResult[] | Promise<EventResult[]> {
    if (durability === "accepted") {
      const { delivery } = this.#options;
      return events.map((event, index) =>
        event instanceof Rejection
          ? this.#toInvalid(event, index, counts)
          : toBatchResult(this.#toResult(event, delivery.accept(event), index, counts), index),
      );
    }
    return Promise.all(
      events.map(async (event, index) =>
        event instanceof Rejection
          ? this.#toInvalid(event, index, counts)
          : toBatchResult(
              this.#toResult(event, await this.#deliver(event, durability), index, counts),
              index,
            ),
      ),
    );
  }

  #deliver(
    event: EncodedEvent,
    durability: Durability,
  ): AcceptOutcome | Promise<AcceptOutcome | StoredOutcome> {
    const { delivery, storedDeadlineMs } = this.#options;
    if (durability === "accepted") return delivery.accept(event);
    return durability === "durable" ? delivery.durable(event) : delivery.stored(event, storedDeadlineMs);
  }

  /** Counts the outcome of a delivery and makes the event's result of it. */
  #toResult(
    { id: event_id }: EncodedEvent,
    outcome: AcceptOutcome | StoredOutcome,
    index: number | undefined,
    counts: CallerCounts | undefined,
  ): Registered | Rejection {
    const { status } = outcome;
    switch (status) {
      case "accepted":
      case "durable":
        this.#count(status, counts);
        return { index, status, event_id };
      case "stored": {
        this.#count("stored", counts);
        const { topic, partition, offset } = outcome;
        return { index, status, event_id, topic, partition, offset };
      }
      case "unknown":
        this.#count("unknown", counts);
        return new Rejection(
          "outcome_unknown",
          "The event was not confirmed in time, and may still arrive: send it again with this event_id.",
          { eventId: event_id },
        );
      case "refused":
        this.#count(outcome.retryAfterSeconds === undefined ? "invalid" : "retry", counts);
        return toRejection(outcome, event_id);
    }
  }

  #toInvalid(rejection: Rejection, index: number, counts: CallerCounts | undefined): EventResult {
    this.#count("invalid", counts);
    return toBatchResult(rejection, index);
  }

  /** @param ofCaller undefined without CALLERS_FILE */
  #count(status: EventResult["status"], ofCaller: CallerCounts | undefined): void {
    this.counts[status]++;
    if (ofCaller !== undefined) increment(ofCaller.events, status);
  }
}

/** This service did not take the event, and may take it later. */
function isRefusedForNow(result: Registered | Rejection): boolean {
  return result instanceof Rejection && result.more.retryAfterSeconds !== undefined;
}

function toBatchResult(result: Registered | Rejection, index: number): EventResult {
  // Its index is set: it was made for this batch.
  if (!(result instanceof Rejection)) return result as EventResult;
  const { code, detail } = result;
  const { eventId, retryAfterSeconds } = result.more;
  const event = { index, ...(eventId === undefined ? {} : { event_id: eventId }), code };
  if (code === "outcome_unknown") return { ...event, status: "unknown" };
  if (retryAfterSeconds !== undefined)
    return { ...event, status: "retry", retry_after_seconds: retryAfterSeconds };
  return { ...event, status: "invalid", errors: result.more.errors ?? [{ pointer: "", message: detail }] };
}

export function toRejection({ code, detail, retryAfterSeconds }: Refusal, eventId?: string): Rejection {
  return new Rejection(code, detail, {
    ...(eventId === undefined ? {} : { eventId }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}
