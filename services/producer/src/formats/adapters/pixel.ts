// An event in the query of an image: for mail, and for pages where no script runs.
import type { RequestHead } from "@ingest/http-server";
import type { DecodeLimits, EventFormat } from "../event-format.ts";
import { decodeFields } from "./fields.ts";

/** A transparent GIF of one pixel. */
const GIF = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64");
const fields = { "content-type": "image/gif", "cache-control": "no-store" };

export function toPixelResponse(): Response {
  return new Response(GIF, { headers: fields });
}

/** @param reserved names of parameters that are no part of the event */
export function createPixelFormat(
  { target }: Pick<RequestHead, "target">,
  reserved: readonly string[],
  limits: DecodeLimits,
): EventFormat {
  const mark = target.indexOf("?");
  const query = mark === -1 ? "" : target.slice(mark + 1);
  const decodeOne: EventFormat["decodeOne"] = (_, ids, check) =>
    decodeFields(query, reserved, limits, ids, check);
  return { decodeOne, decodeMany: (body, ids, check) => [decodeOne(body, ids, check)] };
}
