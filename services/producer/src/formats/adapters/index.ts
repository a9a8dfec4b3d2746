// Adapters as formats: a body is translated, written as JSON again, and decoded like any batch of events.
import { isNestedDeeper } from "@ingest/contract";
import type { Body, RequestHead } from "@ingest/http-server";
import { toMediaType } from "../../http/content.ts";
import { Rejection } from "../../rejection.ts";
import type { DecodeLimits, EventFormat, FormatOf } from "../event-format.ts";
import { decodeEvents, notUtf8, tooDeep, withoutByteOrderMark } from "../json.ts";
import type { Adapter, Translation } from "./adapter.ts";
import { parseExactly } from "./members.ts";
import { posthog } from "./posthog.ts";
import { segment } from "./segment.ts";

export type { Adapter } from "./adapter.ts";

export const adapters: { readonly segment: Adapter; readonly posthog: Adapter } = { segment, posthog };

/** Levels that a body has around the members of an event. */
const LEVELS_AROUND = 2;

export interface AdapterFormats {
  readonly formatOf: FormatOf;
  /** The key in a decompressed body; undefined when it has none or is not translatable. */
  keyIn(body: Body, head: RequestHead): string | undefined;
}

export function createAdapterFormats(adapter: Adapter, limits: DecodeLimits): AdapterFormats {
  function translate(body: Body, head: RequestHead): Translation | Rejection {
    const sent = body.toText();
    if (sent === undefined) return notUtf8();
    const text = withoutByteOrderMark(adapter.toJson?.(sent, head) ?? sent);
    let parsed: unknown;
    try {
      parsed = parseExactly(text);
    } catch (error) {
      return new Rejection(
        "not_json",
        text.trim() === "" ? "The body is empty." : `${(error as Error).message}.`,
      );
    }
    return isNestedDeeper(parsed, limits.maxJsonDepth + LEVELS_AROUND)
      ? tooDeep(limits.maxJsonDepth)
      : adapter.translate(parsed, head.path);
  }

  function formatFor(head: RequestHead): EventFormat {
    const decodeMany: EventFormat["decodeMany"] = (body, ids, check) => {
      const translation = translate(body, head);
      if (translation instanceof Rejection) return translation;
      const json = toJsonArray(translation.events, body.length, limits);
      return json instanceof Rejection ? json : decodeEvents(Buffer.from(json), "array", limits, ids, check);
    };
    return {
      decodeMany,
      decodeOne(body, ids, check) {
        const events = decodeMany(body, ids, check);
        return events instanceof Rejection ? events : events[0]!;
      },
    };
  }

  return {
    formatOf(head, contentType) {
      const type = contentType !== null && adapter.takes?.(contentType) ? "json" : toMediaType(contentType);
      return type === "json" ? formatFor(head) : NOT_JSON;
    },
    keyIn(body, head) {
      const translation = translate(body, head);
      return translation instanceof Rejection ? undefined : translation.key;
    },
  };
}

/**
 * Every event has a copy of the members around its batch: a small body could become one that does not fit into memory.
 * @param sent the length of the body
 */
function toJsonArray(
  events: readonly unknown[],
  sent: number,
  { maxBatchEvents }: DecodeLimits,
): string | Rejection {
  if (events.length > maxBatchEvents)
    return new Rejection("too_large", `The body holds more than ${maxBatchEvents} events.`);
  let rest = MAX_GROWTH * sent + MAX_ADDED * events.length;
  const texts: string[] = [];
  for (const event of events) {
    const text = JSON.stringify(event);
    rest -= text.length;
    if (rest < 0)
      return new Rejection(
        "too_large",
        "The members around the batch, which every event gets a copy of, are too large: send smaller batches.",
      );
    texts.push(text);
  }
  return `[${texts.join(",")}]`;
}

/** The translation may be this many times as long as the body, and longer by so many characters for each event. */
const MAX_GROWTH = 4;
const MAX_ADDED = 256;

const NOT_JSON = new Rejection("unsupported_media_type", "Send application/json in UTF-8 to this path.", {
  fields: { Accept: "application/json" },
});
