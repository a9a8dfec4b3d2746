// The key that a request presents.
import type { RequestHead } from "@ingest/http-server";
import { segmentPaths } from "../formats/adapters/segment-paths.ts";

/** The query parameter that holds a key, for `navigator.sendBeacon`, which can't set headers. */
export const KEY_PARAMETER = "write_key";

export interface PresentedKey {
  readonly key: string;
  readonly place: "header" | "query" | "body";
}

/**
 * The first that is present: `Authorization: Bearer`, `X-API-Key`, `?write_key=`. Other schemes are for proxies, but Segment's
 * SDKs send the key as the user name of `Basic`.
 * An empty key is one, and repeated ones are one key that nobody has: who means to present a key is never anonymous.
 */
export function presentedKey(head: Pick<RequestHead, "get" | "target" | "path">): PresentedKey | undefined {
  const authorization = head.get("authorization") ?? "";
  const bearer = BEARER.exec(authorization);
  const basic = bearer === null && segmentPaths.includes(head.path) ? BASIC.exec(authorization) : null;
  if (basic !== null) return { key: userNameOf(basic[1]!), place: "header" };
  const key = bearer === null ? head.get("x-api-key") : (bearer[1] ?? "").trimEnd();
  if (key !== null) return { key, place: "header" };
  const mark = head.target.indexOf("?");
  const inQuery = mark === -1 ? [] : new URLSearchParams(head.target.slice(mark + 1)).getAll(KEY_PARAMETER);
  return inQuery.length === 0 ? undefined : { key: inQuery.join(", "), place: "query" };
}

/** Also behind the credentials of another scheme: the values of a repeated field are joined by commas. */
const BEARER = /(?:^|, *)bearer(?: +(.*))?$/i;

/** RFC 7617, section 2. */
const BASIC = /^basic +([a-z0-9+/]+=*)[ \t]*$/i;

/** As Latin-1, like the text of a header field. */
function userNameOf(base64: string): string {
  const credentials = Buffer.from(base64, "base64").toString("latin1");
  return credentials.split(":", 1)[0]!;
}
