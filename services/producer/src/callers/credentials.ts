// The key that a request presents.
import type { RequestHead } from "@ingest/http-server";

/** The query parameter that holds a key, for `navigator.sendBeacon`, which can't set headers. */
export const KEY_PARAMETER = "write_key";

export interface PresentedKey {
  readonly key: string;
  readonly isInQuery: boolean;
}

/**
 * The first that is present: `Authorization: Bearer`, `X-API-Key`, `?write_key=`. Other schemes are for proxies.
 * An empty key is one, and repeated ones are one key that nobody has: who means to present a key is never anonymous.
 */
export function presentedKey(head: Pick<RequestHead, "get" | "target">): PresentedKey | undefined {
  const bearer = BEARER.exec(head.get("authorization") ?? "");
  const key = bearer === null ? head.get("x-api-key") : (bearer[1] ?? "").trimEnd();
  if (key !== null) return { key, isInQuery: false };
  const mark = head.target.indexOf("?");
  const inQuery = mark === -1 ? [] : new URLSearchParams(head.target.slice(mark + 1)).getAll(KEY_PARAMETER);
  return inQuery.length === 0 ? undefined : { key: inQuery.join(", "), isInQuery: true };
}

/** Also behind the credentials of another scheme: the values of a repeated field are joined by commas. */
const BEARER = /(?:^|, *)bearer(?: +(.*))?$/i;
