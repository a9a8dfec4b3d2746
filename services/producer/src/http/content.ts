// Content-Type and Content-Encoding of a request (RFC 9110, section 8).
import { Rejection } from "../rejection.ts";

export type MediaType = "json" | "ndjson" | "cloudevent" | "cloudevent-batch" | "form";

/** The content codings that are decompressed. */
const encodings = ["gzip", "deflate", "br", "zstd"] as const;
export type Encoding = (typeof encodings)[number];

const mediaTypes: ReadonlyMap<string, MediaType> = new Map([
  ["application/json", "json"],
  ["application/x-ndjson", "ndjson"],
  ["application/ndjson", "ndjson"],
  ["application/jsonl", "ndjson"],
  ["application/x-jsonlines", "ndjson"],
  ["application/cloudevents+json", "cloudevent"],
  ["application/cloudevents-batch+json", "cloudevent-batch"],
  ["application/x-www-form-urlencoded", "form"],
]);

/** Clients send few different values, so each is parsed once. Bounded, because a client may send any number. */
const known = new Map<string, MediaType | Rejection>();
const MAX_KNOWN = 64;

/** @param header Content-Type as sent; null when there is none, which counts as JSON */
export function toMediaType(header: string | null): MediaType | Rejection {
  if (header === null || header === "application/json") return "json";
  let type = known.get(header);
  if (type === undefined) {
    type = parseMediaType(header);
    if (known.size < MAX_KNOWN) known.set(header, type);
  }
  return type;
}

/** The media types that every path for events takes (RFC 9110, section 15.5.16). */
export const ACCEPT = { fields: { Accept: "application/json, application/cloudevents+json" } };

/** What `navigator.sendBeacon` and `fetch` send for a string. */
export function isPlainText(header: string | null): boolean {
  return header !== null && /^text\/plain[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?$/i.test(header);
}

/** What HTML forms send, and `navigator.sendBeacon` for URLSearchParams. */
export function isForm(header: string | null): boolean {
  return header !== null && /^[ \t]*application\/x-www-form-urlencoded[ \t]*(?:;|$)/i.test(header);
}

/** Does it name CloudEvents in an event format, known here or not? */
export function isCloudEventsType(header: string | null): boolean {
  return header !== null && /^[ \t]*application\/cloudevents/i.test(header);
}

function parseMediaType(header: string): MediaType | Rejection {
  const [name = "", ...parameters] = header.split(";");
  const lowered = name.trim().toLowerCase();
  const isOtherJson = /^application\/[\w.-]+\+json$/.test(lowered) && !isCloudEventsType(lowered);
  const type = mediaTypes.get(lowered) ?? (isOtherJson ? "json" : undefined);
  if (type === undefined)
    return new Rejection(
      "unsupported_media_type",
      isCloudEventsType(lowered)
        ? `Content-Type "${name.trim()}" is not supported: send CloudEvents as application/cloudevents+json or application/cloudevents-batch+json.`
        : unsupportedType(name),
      ACCEPT,
    );
  for (const parameter of parameters) {
    const [key = "", value = ""] = parameter.split("=");
    const charset = value.trim().replace(/^"(.*)"$/, "$1");
    if (key.trim().toLowerCase() === "charset" && !/^(utf-?8|us-ascii)$/i.test(charset))
      return new Rejection(
        "unsupported_media_type",
        `Charset "${charset}" is not supported: send UTF-8.`,
        ACCEPT,
      );
  }
  return type;
}

/** @param name as sent, without parameters */
export function unsupportedType(name: string): string {
  return `Content-Type "${name.trim()}" is not supported: send application/json, or application/x-ndjson to /register_events.`;
}

/** More than one encoding is legal and rare; each may enlarge a body up to its limit. */
const MAX_ENCODINGS = 2;

/**
 * @param header Content-Encoding as sent; null when there is none
 * @returns the encodings in the order in which they were applied; undefined when there is none
 */
export function toEncodings(header: string | null): readonly Encoding[] | undefined | Rejection {
  if (header === null) return undefined;
  const found: Encoding[] = [];
  for (const part of header.split(",")) {
    const name = part.trim().toLowerCase();
    if (name === "identity" || name === "") continue;
    const encoding = name === "x-gzip" ? "gzip" : encodings.find((known) => known === name);
    if (encoding === undefined)
      return unsupportedEncoding(`Content-Encoding "${part.trim().slice(0, 64)}" is not supported`);
    found.push(encoding);
  }
  if (found.length > MAX_ENCODINGS)
    return unsupportedEncoding(
      `Content-Encoding names ${found.length} encodings, more than ${MAX_ENCODINGS}`,
    );
  return found.length === 0 ? undefined : found;
}

/** With Accept-Encoding (RFC 9110, section 12.5.3), which distinguishes it from an unsupported Content-Type. */
function unsupportedEncoding(problem: string): Rejection {
  return new Rejection(
    "unsupported_media_type",
    `${problem}: send one of ${encodings.join(", ")}, or none.`,
    { fields: { "Accept-Encoding": encodings.join(", ") } },
  );
}
