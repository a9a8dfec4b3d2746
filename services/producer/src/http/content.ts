// What the headers say a body is: its media type, charset and encoding (RFC 9110, section 8).
import { Rejection } from "../rejection.ts";

export type MediaType = "json" | "ndjson";

/** Encodings of a body that are undone here. */
const encodings = ["gzip", "deflate", "br", "zstd"] as const;
export type Encoding = (typeof encodings)[number];

const mediaTypes: ReadonlyMap<string, MediaType> = new Map([
  ["application/json", "json"],
  ["application/x-ndjson", "ndjson"],
  ["application/ndjson", "ndjson"],
  ["application/jsonl", "ndjson"],
  ["application/x-jsonlines", "ndjson"],
]);

/** Callers send few different values; each is read once. Bounded, for a caller may send as many as it likes. */
const known = new Map<string, MediaType | Rejection>();
const MAX_KNOWN = 64;

/** @param header Content-Type as sent; null when there was none, which is taken for JSON */
export function toMediaType(header: string | null): MediaType | Rejection {
  if (header === null || header === "application/json") return "json";
  let type = known.get(header);
  if (type === undefined) {
    type = readMediaType(header);
    if (known.size < MAX_KNOWN) known.set(header, type);
  }
  return type;
}

function readMediaType(header: string): MediaType | Rejection {
  const [name = "", ...parameters] = header.split(";");
  const lowered = name.trim().toLowerCase();
  const type = mediaTypes.get(lowered) ?? (/^application\/[\w.-]+\+json$/.test(lowered) ? "json" : undefined);
  if (type === undefined)
    return new Rejection(
      "unsupported_media_type",
      `Content-Type "${name.trim()}" is not taken: send application/json, or application/x-ndjson to /register_events.`,
    );
  for (const parameter of parameters) {
    const [key = "", value = ""] = parameter.split("=");
    const charset = value.trim().replace(/^"(.*)"$/, "$1");
    if (key.trim().toLowerCase() === "charset" && !/^(utf-?8|us-ascii)$/i.test(charset))
      return new Rejection("unsupported_media_type", `Charset "${charset}" is not taken: send UTF-8.`);
  }
  return type;
}

/** @param header Content-Encoding as sent; null when there was none */
export function toEncoding(header: string | null): Encoding | undefined | Rejection {
  if (header === null) return undefined;
  const name = header.trim().toLowerCase();
  if (name === "identity" || name === "") return undefined;
  if (name === "x-gzip") return "gzip";
  if ((encodings as readonly string[]).includes(name)) return name as Encoding;
  return new Rejection(
    "unsupported_media_type",
    `Content-Encoding "${header}" is not taken: send one of ${encodings.join(", ")}, or none.`,
  );
}
