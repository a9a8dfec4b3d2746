// The key that a request presents.
import type { RequestHead } from "@ingest/http-server";

/** The query parameter that holds a key, for `navigator.sendBeacon`, which can't set headers. */
export const KEY_PARAMETER = "write_key";

export interface PresentedKey {
  readonly key: string;
  readonly isInQuery: boolean;
}

/** The first that is present: `Authorization: Bearer`, `X-API-Key`, `?write_key=`. Other schemes are for proxies. */
export function presentedKey(head: Pick<RequestHead, "get" | "target">): PresentedKey | undefined {
  const bearer = /^bearer +(\S+) *$/i.exec(head.get("authorization") ?? "")?.[1];
  const key = bearer ?? head.get("x-api-key");
  if (key !== null) return { key, isInQuery: false };
  const mark = head.target.indexOf(`${KEY_PARAMETER}=`);
  if (mark === -1) return undefined;
  const inQuery = new URLSearchParams(head.target.slice(head.target.indexOf("?") + 1)).get(KEY_PARAMETER);
  return inQuery === null ? undefined : { key: inQuery, isInQuery: true };
}
