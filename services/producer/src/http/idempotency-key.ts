// The Idempotency-Key of a request (draft-ietf-httpapi-idempotency-key-header-07).
import { Rejection } from "../rejection.ts";

const LENGTH = "{1,255}";
/** A string in quotes (RFC 9651, section 3.3.3). */
const QUOTED = String.raw`"((?:[ !#-\[\]-~]|\\["\\])${LENGTH})"`;
/** Without quotes, as most clients send it; no list of keys, and no parameters. */
const BARE = String.raw`[!#-+\--:<-\[\]-~]${LENGTH}`;
/** What a valid header matches, for the OpenAPI document. */
export const IDEMPOTENCY_KEY_PATTERN = `^(?:${QUOTED}|${BARE})$`;

const valid = new RegExp(IDEMPOTENCY_KEY_PATTERN);

/**
 * @param header as sent; null when there is none
 * @returns the key without quotes
 */
export function toIdempotencyKey(header: string | null): string | undefined | Rejection {
  if (header === null) return undefined;
  const match = valid.exec(header);
  if (match !== null) return match[1]?.replace(/\\(.)/g, "$1") ?? header;
  return new Rejection(
    "bad_parameter",
    'Idempotency-Key is malformed: send one string of 1 to 255 characters of ASCII, for example Idempotency-Key: "8e03978e-40d5-43e8-bc93-6894a57f9324".',
  );
}
