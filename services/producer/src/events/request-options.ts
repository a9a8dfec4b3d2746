// What the head of a request specifies, read once for each text of a head.
import type { Durability } from "@ingest/contract";
import type { RequestHead } from "@ingest/http-server";
import { type AllowedOrigins, isCrossOrigin, originNotAllowed } from "../callers/origins.ts";
import type { EventFormat, EventIds, FormatOf } from "../formats/index.ts";
import { type Encoding, isPlainText, toEncodings } from "../http/content.ts";
import { toIdempotencyKey } from "../http/idempotency-key.ts";
import { Rejection } from "../rejection.ts";
import { createEventIds } from "./event-ids.ts";
import { type RequestedDurability, toRequestedDurability } from "./requested-durability.ts";

export interface RequestOptions {
  readonly format: EventFormat;
  readonly requested: RequestedDurability;
  /** In the order in which they were applied. */
  readonly encodings: readonly Encoding[] | undefined;
  /** Ids for events without one; undefined: random ids. */
  readonly ids: EventIds | undefined;
}

export interface HeadOptions {
  defaultDurability: Durability;
  origins: AllowedOrigins;
  formatOf: FormatOf;
}

export function parseRequestOptions(head: RequestHead, options: HeadOptions): RequestOptions | Rejection {
  const format = toFormat(head, options);
  if (format instanceof Rejection) return format;
  const mark = head.target.indexOf("?");
  const query = mark === -1 ? undefined : head.target.slice(mark + 1);
  const requested = toRequestedDurability(query, head.get("prefer"), options.defaultDurability);
  if (requested instanceof Rejection) return requested;
  const encodings = toEncodings(head.get("content-encoding"));
  if (encodings instanceof Rejection) return encodings;
  const key = toIdempotencyKey(head.get("idempotency-key"));
  if (key instanceof Rejection) return key;
  const ids = key === undefined ? undefined : createEventIds("", key);
  return { format, requested, encodings, ids };
}

function toFormat(head: RequestHead, { origins, formatOf }: HeadOptions): EventFormat | Rejection {
  const contentType = head.get("content-type");
  if (origins.includes(head)) return formatOf(head, isPlainText(contentType) ? null : contentType);
  if (contentType === null && isCrossOrigin(head)) return originNotAllowed(head);
  return formatOf(head, contentType);
}
