// The interface of the formats in which callers send events.
import type { Body, RequestHead } from "@ingest/http-server";
import type { EncodedEvent } from "../delivery/index.ts";
import type { EventCheck } from "../events/event-check.ts";
import type { Rejection } from "../rejection.ts";

export interface DecodeLimits {
  maxEventBytes: number;
  maxBatchEvents: number;
  maxJsonDepth: number;
}

/** Makes ids for events that have none. */
export interface EventIds {
  /**
   * @param index the event's place in the body, from 0
   * @param event its bytes, or their text
   */
  idOf(index: number, event: string | Uint8Array): string;
}

/**
 * Decodes decompressed bodies of one format. Stateless between bodies: requests with the same head share one.
 * Both methods call `check`, if there is one, with each event that is valid, and return what it returns.
 */
export interface EventFormat {
  /**
   * The event of a body that holds one, whose size is within the limit.
   * @param ids by default random ids (UUIDv7)
   */
  decodeOne(body: Body, ids?: EventIds, check?: EventCheck): EncodedEvent | Rejection;
  /** An event or a rejection for each element of a body that holds many, or one rejection for the whole body. */
  decodeMany(body: Body, ids?: EventIds, check?: EventCheck): (EncodedEvent | Rejection)[] | Rejection;
}

/**
 * Chooses the format of a request's body, once for each text of a head.
 * @param contentType as sent; null when there is none
 */
export type FormatOf = (head: RequestHead, contentType: string | null) => EventFormat | Rejection;
