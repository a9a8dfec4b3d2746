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
      return decodeEvents(Buffer.from(JSON.stringify(translation.events)), "array", limits, ids, check);
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

const NOT_JSON = new Rejection("unsupported_media_type", "Send application/json in UTF-8 to this path.", {
  fields: { Accept: "application/json" },
});
