// What the head of a request specifies: who sent it, and how its events are read, checked and delivered.
import type { Durability } from "@ingest/contract";
import type { RequestHead } from "@ingest/http-server";
import type { Caller } from "../callers/caller.ts";
import type { CallerCounts } from "../callers/caller-counts.ts";
import { KEY_PARAMETER } from "../callers/credentials.ts";
import type { AddressLimiters } from "../callers/limits/address-limiters.ts";
import type { Limiter } from "../callers/limits/limiter.ts";
import type { Limiters } from "../callers/limits/limiters.ts";
import { isCrossOrigin, type OriginSource, originNotAllowed } from "../callers/origins.ts";
import { isHigher } from "../callers/parse-file.ts";
import type { EventFormat, EventIds, FormatOf } from "../formats/index.ts";
import { type Encoding, isForm, isPlainText, toEncodings } from "../http/content.ts";
import { toIdempotencyKey } from "../http/idempotency-key.ts";
import { Rejection } from "../rejection.ts";
import { type EventCheck, type EventCheckFactory, toEventCheck } from "./event-check.ts";
import { createEventIds } from "./event-ids.ts";
import { type RequestedDurability, toRequestedDurability } from "./requested-durability.ts";

export interface RequestOptions {
  readonly format: EventFormat;
  readonly requested: RequestedDurability;
  /** In the order in which they were applied. */
  readonly encodings: readonly Encoding[] | undefined;
  /** Ids for events without one; undefined: random ids. */
  readonly ids: EventIds | undefined;
  /** Undefined without CALLERS_FILE. */
  readonly caller: Caller | undefined;
  /** Of the caller; undefined without one. */
  readonly counts: CallerCounts | undefined;
  /** Undefined when nothing is checked: then events pay nothing for it. */
  readonly check: EventCheck | undefined;
  /** Undefined when the caller has no limits. */
  readonly limiter: Limiter | undefined;
  /** Undefined unless the limits depend on the client's address, too: they include `limiter` then. */
  readonly addresses: AddressLimiters | undefined;
}

export interface HeadOptions {
  defaultDurability: Durability;
  originSource: OriginSource;
  formatOf: FormatOf;
  /** By default from Content-Encoding. */
  encodingsOf?: ((head: RequestHead) => readonly Encoding[] | undefined | Rejection) | undefined;
  /** The query may have parameters that this service does not know. */
  ignoresQuery?: boolean | undefined;
  /** Pages of all origins may send such requests. */
  isForAnyPage?: boolean | undefined;
  /** What is checked of each event, in this order; by default nothing is. */
  checks?: readonly EventCheckFactory[];
  /** By default no caller is limited. */
  limiters?: Pick<Limiters, "of" | "addressesOf">;
}

/** @param caller undefined without CALLERS_FILE */
export function parseRequestOptions(
  head: RequestHead,
  caller: Caller | undefined,
  counts: CallerCounts | undefined,
  options: HeadOptions,
): RequestOptions | Rejection {
  const format = toFormat(head, options);
  if (format instanceof Rejection) return format;
  const requested = toDurability(head, caller, options);
  if (requested instanceof Rejection) return requested;
  const encodings = options.encodingsOf?.(head) ?? toEncodings(head.get("content-encoding"));
  if (encodings instanceof Rejection) return encodings;
  const key = toIdempotencyKey(head.get("idempotency-key"));
  if (key instanceof Rejection) return key;
  const ids = key === undefined ? undefined : createEventIds(caller?.id ?? "", key);
  const check = toEventCheck(caller, options.checks ?? []);
  const limiter = caller && options.limiters?.of(caller);
  const addresses = caller && options.limiters?.addressesOf(caller);
  return { format, requested, encodings, ids, caller, counts, check, limiter, addresses };
}

function toFormat(
  head: RequestHead,
  { originSource, formatOf, isForAnyPage }: HeadOptions,
): EventFormat | Rejection {
  const contentType = head.get("content-type");
  if (isForAnyPage) return formatOf(head, contentType);
  if (originSource.origins.includes(head))
    return formatOf(head, isPlainText(contentType) ? null : contentType);
  if (contentType === null && isCrossOrigin(head)) return originNotAllowed(head);
  const format = formatOf(head, contentType);
  return !(format instanceof Rejection) && isForm(contentType) && isCrossOrigin(head)
    ? originNotAllowed(head)
    : format;
}

function toDurability(
  head: RequestHead,
  caller: Caller | undefined,
  { defaultDurability, ignoresQuery }: HeadOptions,
): RequestedDurability | Rejection {
  const mark = head.target.indexOf("?");
  const query = mark === -1 ? undefined : head.target.slice(mark + 1);
  const prefer = head.get("prefer");
  if (caller === undefined)
    return toRequestedDurability(query, prefer, defaultDurability, ignoresQuery ? "any" : []);
  const requested = toRequestedDurability(
    query,
    prefer,
    caller.defaultDurability,
    ignoresQuery ? "any" : [KEY_PARAMETER],
  );
  if (requested instanceof Rejection || !isHigher(requested.durability, caller.maxDurability))
    return requested;
  return new Rejection(
    "durability_not_allowed",
    `${caller.id} may ask for ${caller.maxDurability} at most, not ${requested.durability}.`,
  );
}
