// PostHog's capture API, as its SDKs use it: https://posthog.com/docs/api/capture
import type { RequestHead } from "@ingest/http-server";
import { type Encoding, isForm, isPlainText, toEncodings } from "../../http/content.ts";
import { Rejection } from "../../rejection.ts";
import type { Adapter } from "./adapter.ts";
import {
  defined,
  isObject,
  type JsonObject,
  notTranslatable,
  textOf,
  timestampOf,
  unlessText,
} from "./members.ts";

export const posthog: Adapter = {
  product: "PostHog",
  paths: ["/batch", "/capture", "/e", "/i/v0/e"].flatMap((path) => [path, `${path}/`]),
  success: { status: "Ok" },
  hasKeyInBody: true,
  // posthog-js sends these two; which pages may is decided before.
  takes: (contentType) => isPlainText(contentType) || isForm(contentType),
  encodingsOf,
  /** `sendBeacon` sends a form whose field `data` holds the JSON. */
  toJson(text, head) {
    const data = isForm(head.get("content-type")) ? (new URLSearchParams(text).get("data") ?? "") : text;
    return compressionOf(head) === "base64" ? Buffer.from(data, "base64").toString() : data;
  },
  translate(body) {
    if (Array.isArray(body))
      return { events: body.map((event: unknown) => toEvent(event)), key: keyOf(body[0]) };
    if (!isObject(body)) return notTranslatable("must be a JSON object or an array");
    const { api_key, token, batch, ...around } = body;
    if (batch === undefined) return { events: [toEvent(body)], key: keyOf(body) };
    if (!Array.isArray(batch)) return notTranslatable("must have an array as its member batch");
    const surrounding = defined(around);
    const key = textOf(api_key) ?? textOf(token) ?? keyOf(batch[0]);
    return { events: batch.map((event: unknown) => toEvent(event, surrounding)), key };
  },
};

function keyOf(event: unknown): string | undefined {
  if (!isObject(event)) return undefined;
  const { api_key, token, properties } = event;
  return textOf(api_key) ?? textOf(token) ?? (isObject(properties) ? textOf(properties.token) : undefined);
}

/** @param batch the members of the body around its events */
function toEvent(source: unknown, batch?: JsonObject): unknown {
  if (!isObject(source)) return source;
  const { api_key: _, token: __, event, uuid, distinct_id, timestamp, properties, ...rest } = source;
  const time = timestampOf(timestamp);
  return {
    event_type: textOf(event),
    event_id: textOf(uuid),
    user_id: textOf(distinct_id) ?? (isObject(properties) ? textOf(properties.distinct_id) : undefined),
    timestamp: time,
    payload: defined({
      ...rest,
      event: unlessText(event),
      uuid: unlessText(uuid),
      distinct_id: unlessText(distinct_id),
      timestamp: time === undefined ? timestamp : undefined,
      properties: withoutToken(properties),
      batch: batch ?? rest.batch,
    }),
  };
}

/** posthog-js repeats the key among the properties of each event. */
function withoutToken(properties: unknown): unknown {
  if (!isObject(properties) || typeof properties.token !== "string") return properties;
  const { token: _, ...rest } = properties;
  return rest;
}

/** posthog-js names the compression in the query. */
function encodingsOf(head: RequestHead): readonly Encoding[] | undefined | Rejection {
  const compression = compressionOf(head);
  if (compression instanceof Rejection) return compression;
  const named = toEncodings(head.get("content-encoding"));
  return named ?? (compression === "gzip" ? ["gzip"] : undefined);
}

function compressionOf({ target }: Pick<RequestHead, "target">): "gzip" | "base64" | undefined | Rejection {
  const mark = target.indexOf("?");
  const value = mark === -1 ? "" : (new URLSearchParams(target.slice(mark + 1)).get("compression") ?? "");
  if (value === "gzip" || value === "gzip-js") return "gzip";
  if (value === "") return undefined;
  if (value === "base64") return value;
  return new Rejection(
    "bad_parameter",
    `compression=${value.slice(0, 64)} is not supported: use gzip, gzip-js or base64, or leave it out.`,
  );
}
