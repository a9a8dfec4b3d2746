// Segment's HTTP tracking API, as its SDKs use it: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
import { isPlainText } from "../../http/content.ts";
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
import { segmentPaths, singlePaths } from "./segment-paths.ts";

export const segment: Adapter = {
  product: "Segment",
  paths: segmentPaths,
  success: { success: true },
  hasKeyInBody: true,
  // analytics.js sends it; which pages may is decided before.
  takes: isPlainText,
  translate(body, path) {
    if (!isObject(body)) return notTranslatable("must be a JSON object");
    const { writeKey, batch, ...around } = body;
    const key = textOf(writeKey);
    const type = singlePaths.get(path);
    if (type !== undefined) {
      const message = { type, ...around, ...(batch !== undefined && { batch }) };
      return { events: [toEvent(message, undefined)], key };
    }
    if (!Array.isArray(batch)) return notTranslatable("must have a member batch, an array of messages");
    const surrounding = defined(around);
    return {
      events: batch.map((message: unknown) => (isObject(message) ? toEvent(message, surrounding) : message)),
      key,
    };
  },
};

/** @param batch the members of the body around its messages */
function toEvent(message: JsonObject, batch: JsonObject | undefined): JsonObject {
  const { messageId, type, event, userId, timestamp, writeKey: _, ...rest } = message;
  const name = type === "track" ? textOf(event) : undefined;
  const time = timestampOf(timestamp);
  return {
    event_type: name ?? textOf(type),
    event_id: textOf(messageId),
    user_id: textOf(userId) ?? textOf(message.anonymousId),
    timestamp: time,
    payload: defined({
      ...rest,
      type,
      event: name === undefined ? event : undefined,
      messageId: unlessText(messageId),
      userId: unlessText(userId),
      timestamp: time === undefined ? timestamp : undefined,
      batch: batch ?? rest.batch,
    }),
  };
}
