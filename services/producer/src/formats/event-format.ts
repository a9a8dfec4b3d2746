// The interface of the formats in which callers send events.
import type { Body, RequestHead } from "@ingest/http-server";
import type { EncodedEvent } from "../delivery/index.ts";
import type { Rejection } from "../rejection.ts";

export interface DecodeLimits {
  maxEventBytes: number;
  maxBatchEvents: number;
  maxJsonDepth: number;
}

/** Decodes decompressed bodies of one format. Stateless between bodies: requests with the same head share one. */
export interface EventFormat {
  /** The event of a body that holds one, whose size is within the limit. */
  decodeOne(body: Body): EncodedEvent | Rejection;
  /** An event or a rejection for each element of a body that holds many, or one rejection for the whole body. */
  decodeMany(body: Body): (EncodedEvent | Rejection)[] | Rejection;
}

/**
 * Chooses the format of a request's body, once for each text of a head.
 * @param contentType as sent; null when there is none
 */
export type FormatOf = (head: RequestHead, contentType: string | null) => EventFormat | Rejection;
